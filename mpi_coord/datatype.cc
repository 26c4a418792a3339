// Derived datatypes: the calls with arrays of types, record and rebuild.
//
// At the cut each type is taken apart by MPI_Type_get_envelope and MPI_Type_get_contents down to predefined ones.  Each
// look at the contents of a type gives new handles to equivalent types, so that a recipe is a tree and shares nothing.
#include <cstdio>
#include <mutex>

#include "mpi_coord/alias.h"
#include "mpi_coord/attributes.h"
#include "mpi_coord/call.h"
#include "mpi_coord/control.h"
#include "mpi_coord/objects.h"
#include "mpi_coord/reverse.h"
#include "mpi_coord/type_recipe.h"
#include "preload/base/log.h"
#include "preload/base/spin.h"

namespace sckpt::mpi {

namespace {

// Combiners that MPI-3.0 removed; mpi.h keeps their numbers and hides the names.
constexpr int kHvectorInteger = MPI_COMBINER_HVECTOR - 1;
constexpr int kHindexedInteger = MPI_COMBINER_HINDEXED - 1;
constexpr int kStructInteger = MPI_COMBINER_STRUCT - 1;

bool is_f90(int combiner) {
    return combiner == MPI_COMBINER_F90_REAL || combiner == MPI_COMBINER_F90_COMPLEX ||
           combiner == MPI_COMBINER_F90_INTEGER;
}

}  // namespace

bool belongs_to_mpi(MPI_Datatype real) {
    if (predefined_record(Kind::Datatype, real)) return true;
    int integers, addresses, types, combiner = MPI_COMBINER_NAMED;
    lower.Type_get_envelope(real, &integers, &addresses, &types, &combiner);
    return combiner == MPI_COMBINER_NAMED || is_f90(combiner);
}

std::unique_ptr<TypeRecipe> take_apart(MPI_Datatype real) {
    auto recipe = std::make_unique<TypeRecipe>();
    if (!predefined_record(Kind::Datatype, real)) {
        int integers = 0, addresses = 0, types = 0;
        if (const int error = lower.Type_get_envelope(real, &integers, &addresses, &types, &recipe->combiner); error)
            die("cannot take a datatype apart: MPI error %d", error);
        recipe->integers.resize(static_cast<size_t>(integers));
        recipe->addresses.resize(static_cast<size_t>(addresses));
        std::vector<MPI_Datatype> contents(static_cast<size_t>(types));
        if (recipe->combiner != MPI_COMBINER_NAMED) {
            const int error = lower.Type_get_contents(real, integers, addresses, types, recipe->integers.data(),
                                                      recipe->addresses.data(), contents.data());
            if (error != MPI_SUCCESS) die("cannot take a datatype apart: MPI error %d", error);
        }
        for (MPI_Datatype &type : contents) {
            recipe->types.push_back(take_apart(type));
            if (!belongs_to_mpi(type)) lower.Type_free(&type);
        }
    }
    if (recipe->combiner == MPI_COMBINER_NAMED) recipe->named = real;
    return recipe;
}

namespace {

std::vector<MPI_Aint> widened(const int *from, int count) { return {from, from + count}; }

// One level of a recipe, `types` being its contents made again.
int construct(const TypeRecipe &recipe, MPI_Datatype *types, MPI_Datatype *made) {
    const int *i = recipe.integers.data();
    const MPI_Aint *a = recipe.addresses.data();
    switch (recipe.combiner) {
        case MPI_COMBINER_DUP:
            return lower.Type_dup(types[0], made);
        case MPI_COMBINER_CONTIGUOUS:
            return lower.Type_contiguous(i[0], types[0], made);
        case MPI_COMBINER_VECTOR:
            return lower.Type_vector(i[0], i[1], i[2], types[0], made);
        case MPI_COMBINER_HVECTOR:
            return lower.Type_create_hvector(i[0], i[1], a[0], types[0], made);
        case kHvectorInteger:
            return lower.Type_create_hvector(i[0], i[1], recipe.addresses.empty() ? i[2] : a[0], types[0], made);
        case MPI_COMBINER_INDEXED:
            return lower.Type_indexed(i[0], i + 1, i + 1 + i[0], types[0], made);
        case MPI_COMBINER_HINDEXED:
            return lower.Type_create_hindexed(i[0], i + 1, a, types[0], made);
        case kHindexedInteger: {
            if (!recipe.addresses.empty()) return lower.Type_create_hindexed(i[0], i + 1, a, types[0], made);
            const auto offsets = widened(i + 1 + i[0], i[0]);
            return lower.Type_create_hindexed(i[0], i + 1, offsets.data(), types[0], made);
        }
        case MPI_COMBINER_INDEXED_BLOCK:
            return lower.Type_create_indexed_block(i[0], i[1], i + 2, types[0], made);
        case MPI_COMBINER_HINDEXED_BLOCK:
            return lower.Type_create_hindexed_block(i[0], i[1], a, types[0], made);
        case MPI_COMBINER_STRUCT:
            return lower.Type_create_struct(i[0], i + 1, a, types, made);
        case kStructInteger: {
            if (!recipe.addresses.empty()) return lower.Type_create_struct(i[0], i + 1, a, types, made);
            const auto offsets = widened(i + 1 + i[0], i[0]);
            return lower.Type_create_struct(i[0], i + 1, offsets.data(), types, made);
        }
        case MPI_COMBINER_SUBARRAY: {
            const int n = i[0];
            return lower.Type_create_subarray(n, i + 1, i + 1 + n, i + 1 + 2 * n, i[1 + 3 * n], types[0], made);
        }
        case MPI_COMBINER_DARRAY: {
            const int n = i[2], *v = i + 3;
            return lower.Type_create_darray(i[0], i[1], n, v, v + n, v + 2 * n, v + 3 * n, v[4 * n], types[0], made);
        }
        case MPI_COMBINER_RESIZED:
            return lower.Type_create_resized(types[0], a[0], a[1], made);
        case MPI_COMBINER_F90_REAL:
            return lower.Type_create_f90_real(i[0], i[1], made);
        case MPI_COMBINER_F90_COMPLEX:
            return lower.Type_create_f90_complex(i[0], i[1], made);
        case MPI_COMBINER_F90_INTEGER:
            return lower.Type_create_f90_integer(i[0], made);
    }
    return MPI_ERR_TYPE;
}

}  // namespace

MPI_Datatype make_again(const TypeRecipe &recipe) {
    if (recipe.combiner == MPI_COMBINER_NAMED) return recipe.named;
    std::vector<MPI_Datatype> types;
    for (const auto &inner : recipe.types) types.push_back(make_again(*inner));
    MPI_Datatype made = nullptr;
    if (const int error = construct(recipe, types.data(), &made); error != MPI_SUCCESS)
        die("cannot make a datatype with combiner %d again: MPI error %d", recipe.combiner, error);
    for (size_t k = 0; k < types.size(); ++k)
        if (const int inner = recipe.types[k]->combiner; inner != MPI_COMBINER_NAMED && !is_f90(inner))
            lower.Type_free(&types[k]);
    return made;
}

namespace {

const char *combiner_name(int combiner) {
    switch (combiner) {
        case MPI_COMBINER_NAMED:
            return "predefined";
        case MPI_COMBINER_DUP:
            return "MPI_Type_dup";
        case MPI_COMBINER_CONTIGUOUS:
            return "MPI_Type_contiguous";
        case MPI_COMBINER_VECTOR:
            return "MPI_Type_vector";
        case MPI_COMBINER_HVECTOR:
        case kHvectorInteger:
            return "MPI_Type_create_hvector";
        case MPI_COMBINER_INDEXED:
            return "MPI_Type_indexed";
        case MPI_COMBINER_HINDEXED:
        case kHindexedInteger:
            return "MPI_Type_create_hindexed";
        case MPI_COMBINER_INDEXED_BLOCK:
            return "MPI_Type_create_indexed_block";
        case MPI_COMBINER_HINDEXED_BLOCK:
            return "MPI_Type_create_hindexed_block";
        case MPI_COMBINER_STRUCT:
        case kStructInteger:
            return "MPI_Type_create_struct";
        case MPI_COMBINER_SUBARRAY:
            return "MPI_Type_create_subarray";
        case MPI_COMBINER_DARRAY:
            return "MPI_Type_create_darray";
        case MPI_COMBINER_RESIZED:
            return "MPI_Type_create_resized";
        case MPI_COMBINER_F90_REAL:
            return "MPI_Type_create_f90_real";
        case MPI_COMBINER_F90_COMPLEX:
            return "MPI_Type_create_f90_complex";
        case MPI_COMBINER_F90_INTEGER:
            return "MPI_Type_create_f90_integer";
    }
    return "unknown";
}

// Names that the application has given to predefined types, which the new lower half has with their own names.  Never
// destroyed: exit handlers may still give some.
struct Renamed {
    Spin lock;
    std::vector<std::pair<DatatypeRecord *, std::string>> types;
};
Renamed &renamed() {
    static Renamed *all = new Renamed;
    return *all;
}

// The handles of an array of types, as the lower half knows them.
std::vector<MPI_Datatype> real_types(const MPI_Datatype *types, int count) {
    std::vector<MPI_Datatype> result;
    for (int i = 0; types && i < count; ++i) result.push_back(real_of(types[i]));
    return result;
}

template <class... Arguments>
int make_struct(int (*function)(Arguments...), int count, auto lengths, auto offsets, const MPI_Datatype *types,
                MPI_Datatype *made) {
    Guard guard;
    auto reals = real_types(types, count);
    MPI_Datatype real = nullptr;
    const int error = function(count, lengths, offsets, types ? reals.data() : nullptr, made ? &real : nullptr);
    if (error == MPI_SUCCESS) *made = handle_of(wrap<Datatype>(real));
    return error;
}

// MPI has no function that tells; but a message cannot be of a type that is not committed, not even one to nobody.
bool is_committed(MPI_Datatype real) {
    return lower.Send(nullptr, 0, real, MPI_PROC_NULL, 0, control::self_comm()) == MPI_SUCCESS;
}

}  // namespace

void record_datatypes() {
    for_each_live<DatatypeRecord>(Kind::Datatype, [](DatatypeRecord *record) {
        const auto real = static_cast<MPI_Datatype>(record->real);
        delete record->recipe;
        record->recipe = take_apart(real).release();
        record->recipe->committed = is_committed(real);
        char name[MPI_MAX_OBJECT_NAME + 1];
        int length = 0;
        if (!is_f90(record->recipe->combiner) && lower.Type_get_name(real, name, &length) == MPI_SUCCESS)
            record->recipe->name.assign(name, static_cast<size_t>(length));
    });
}

void rebuild_datatypes() {
    for (const auto &[record, name] : renamed().types)
        lower.Type_set_name(static_cast<MPI_Datatype>(record->real), name.c_str());
    for_each_live<DatatypeRecord>(Kind::Datatype, [](DatatypeRecord *record) {
        SCKPT_ASSERT(record->recipe);
        MPI_Datatype made = make_again(*record->recipe);
        if (!is_f90(record->recipe->combiner)) {
            if (record->recipe->committed) lower.Type_commit(&made);
            lower.Type_set_name(made, record->recipe->name.c_str());
        }
        record->real = made;
        delete record->recipe;
        record->recipe = nullptr;
    });
}

void describe_datatypes(Describe describe, void *context) {
    for_each_live<DatatypeRecord>(Kind::Datatype, [&](DatatypeRecord *record) {
        if (!record->recipe) return;
        char text[MPI_MAX_OBJECT_NAME + 64];
        snprintf(text, sizeof text, "%s%s%zu integers, %zu addresses, %zu types%s", record->recipe->name.c_str(),
                 record->recipe->name.empty() ? "" : ": ", record->recipe->integers.size(),
                 record->recipe->addresses.size(), record->recipe->types.size(), record->freed ? ", freed" : "");
        describe(context, "datatype", combiner_name(record->recipe->combiner), text);
    });
}

extern "C" {

int PMPI_Type_create_struct(int count, const int lengths[], const MPI_Aint offsets[], const MPI_Datatype types[],
                            MPI_Datatype *made) {
    return make_struct(lower.Type_create_struct, count, lengths, offsets, types, made);
}

int PMPI_Type_struct(int count, int lengths[], MPI_Aint offsets[], MPI_Datatype types[], MPI_Datatype *made) {
    return make_struct(lower.Type_struct, count, lengths, offsets, types, made);
}

int PMPI_Type_set_name(MPI_Datatype type, const char *name) {
    Guard guard;
    const int error = lower.Type_set_name(real_of(type), name);
    if (error != MPI_SUCCESS || !record_of(type)->predefined) return error;
    std::lock_guard locked(renamed().lock);
    std::erase_if(renamed().types, [=](const auto &entry) { return entry.first == record_of(type); });
    renamed().types.emplace_back(record_of(type), name);
    return error;
}

int PMPI_Type_dup(MPI_Datatype type, MPI_Datatype *made) {
    Guard guard;
    MPI_Datatype real = nullptr;
    int error = lower.Type_dup(real_of(type), made ? &real : nullptr);
    if (error != MPI_SUCCESS) return error;
    DatatypeRecord *record = wrap<Datatype>(real);
    error = copy_attributes(record_of(type), record);
    if (error != MPI_SUCCESS) {
        lower.Type_free(&real);
        delist(record);
        delete record;
        *made = MPI_DATATYPE_NULL;
        return error;
    }
    *made = handle_of(record);
    return error;
}

int PMPI_Type_get_contents(MPI_Datatype type, int max_integers, int max_addresses, int max_types, int integers[],
                           MPI_Aint addresses[], MPI_Datatype types[]) {
    Guard guard;
    const MPI_Datatype outer = real_of(type);
    const int error =
        lower.Type_get_contents(outer, max_integers, max_addresses, max_types, integers, addresses, types);
    if (error != MPI_SUCCESS || !types) return error;
    int integer_count, address_count, count = 0, combiner;
    lower.Type_get_envelope(outer, &integer_count, &address_count, &count, &combiner);
    for (int i = 0; i < count && i < max_types; ++i) {
        const MPI_Datatype real = types[i];
        DatatypeRecord *known = belongs_to_mpi(real) ? find_record<Datatype>(real) : nullptr;
        types[i] = handle_of(known ? known : wrap<Datatype>(real));
    }
    return error;
}

}  // extern "C"

SCKPT_ALIAS(Type_create_struct)
SCKPT_ALIAS(Type_struct)
SCKPT_ALIAS(Type_dup)
SCKPT_ALIAS(Type_set_name)
SCKPT_ALIAS(Type_get_contents)

}  // namespace sckpt::mpi
