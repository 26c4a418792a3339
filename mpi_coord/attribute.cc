// Attributes and keyvals (MPI-3.1, 6.7).
//
// Callbacks are code of the application and may call MPI, attribute functions too: the lock is never held while one
// runs, and what is needed of the tables is copied before.  Error codes are those that Open MPI 4.1 returns, which
// answers an unknown keyval with MPI_ERR_OTHER.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <mutex>
#include <vector>

#include "mpi_coord/attributes.h"
#include "mpi_coord/call.h"
#include "mpi_coord/keyval.h"
#include "mpi_coord/objects.h"
#include "mpi_coord/win.h"
#include "preload/base/spin.h"

namespace sckpt::mpi {
namespace {

// Open MPI numbers its predefined keyvals from 0 and would go on there; ours are well above.
constexpr int kFirstKeyval = 1000;
constexpr int kUnknownKeyval = MPI_ERR_OTHER;

}  // namespace

struct AttributeMap {
    std::vector<std::unique_ptr<Attribute>> entries;  // in the order of setting
    bool like_world = false;                          // a duplicate of MPI_COMM_WORLD: has its predefined attributes
};

namespace {

// Never destroyed: exit handlers of the application may still use attributes.
struct Tables {
    Spin lock;
    std::vector<std::unique_ptr<Keyval>> keyvals;  // by number - kFirstKeyval
};
Tables &tables() {
    static Tables *all = new Tables;
    return *all;
}

// The rest of the block expects the lock to be held.

Keyval *find_keyval(int number) {
    const auto index = static_cast<size_t>(number - kFirstKeyval);
    return number >= kFirstKeyval && index < tables().keyvals.size() ? tables().keyvals[index].get() : nullptr;
}

void release_keyval(int number) {
    Keyval *keyval = find_keyval(number);
    if (keyval->freed && keyval->users == 0) tables().keyvals[static_cast<size_t>(number - kFirstKeyval)].reset();
}

AttributeMap *&map_of(Kind kind, Record *object) {
    if (kind == Kind::Comm) return static_cast<CommRecord *>(object)->attributes;
    if (kind == Kind::Datatype) return static_cast<DatatypeRecord *>(object)->attributes;
    return static_cast<WinRecord *>(object)->attributes;
}

Attribute *find_attribute(const AttributeMap *map, int keyval) {
    if (map)
        for (const auto &entry : map->entries)
            if (entry->keyval == keyval) return entry.get();
    return nullptr;
}

void erase_attribute(AttributeMap *map, int keyval) {
    if (std::erase_if(map->entries, [=](const auto &entry) { return entry->keyval == keyval; })) {
        --find_keyval(keyval)->users;
        release_keyval(keyval);
    }
}

void insert_attribute(AttributeMap *&map, const Attribute &attribute) {
    if (!map) map = new AttributeMap;
    map->entries.push_back(std::make_unique<Attribute>(attribute));
    ++find_keyval(attribute.keyval)->users;
}

// End of the block.

int fail(Kind kind, const Record *object, int error) {
    if (kind == Kind::Win && error != MPI_ERR_WIN)
        lower.Win_call_errhandler(static_cast<MPI_Win>(object->real), error);
    else if (kind == Kind::Comm && error != MPI_ERR_COMM)
        lower.Comm_call_errhandler(static_cast<MPI_Comm>(object->real), error);
    else
        lower.Comm_call_errhandler(real_of(MPI_COMM_WORLD), error);
    return error;
}

int check_object(Kind kind, const Record *object) {
    if (kind == Kind::Comm && (!object || object == record_of(MPI_COMM_NULL))) return MPI_ERR_COMM;
    if (kind == Kind::Datatype && (!object || object == record_of(MPI_DATATYPE_NULL))) return MPI_ERR_TYPE;
    if (kind == Kind::Win && (!object || object == record_of(MPI_WIN_NULL))) return MPI_ERR_WIN;
    return MPI_SUCCESS;
}

// Calls the delete function of an attribute and erases it.
int remove_one(Kind kind, Record *object, int number) {
    std::unique_lock guard(tables().lock);
    Attribute *found = find_attribute(map_of(kind, object), number);
    if (!found) return kUnknownKeyval;
    Attribute attribute = *found;
    const Keyval keyval = *find_keyval(number);
    guard.unlock();
    // A value from Fortran is seen through a pointer into the attribute: the copy serves as well while the call lasts.
    if (const int error = call_remove(keyval, object, &attribute); error != MPI_SUCCESS) return error;
    guard.lock();
    if (map_of(kind, object)) erase_attribute(map_of(kind, object), number);
    return MPI_SUCCESS;
}

int remove_all(Kind kind, Record *object, bool stop_at_error) {
    for (;;) {
        int number;
        {
            std::lock_guard locked(tables().lock);
            AttributeMap *&map = map_of(kind, object);
            if (!map || map->entries.empty()) {
                delete map;
                map = nullptr;
                return MPI_SUCCESS;
            }
            number = map->entries.back()->keyval;
        }
        const int error = remove_one(kind, object, number);
        if (error == MPI_SUCCESS) continue;
        if (stop_at_error) return fail(kind, object, error);
        std::lock_guard locked(tables().lock);
        erase_attribute(map_of(kind, object), number);
    }
}

int copy_all(Kind kind, Record *from, Record *to) {
    std::vector<int> numbers;
    {
        std::lock_guard locked(tables().lock);
        if (const AttributeMap *map = map_of(kind, from))
            for (const auto &entry : map->entries) numbers.push_back(entry->keyval);
    }
    std::ranges::sort(numbers);  // as Open MPI does; the standard leaves the order open
    for (const int number : numbers) {
        std::unique_lock guard(tables().lock);
        Attribute *found = find_attribute(map_of(kind, from), number);
        if (!found) continue;
        const Keyval keyval = *find_keyval(number);
        guard.unlock();
        Attribute copy{number};
        bool wanted = false;
        if (const int error = call_copy(keyval, from, found, &copy, &wanted); error != MPI_SUCCESS) {
            remove_all(kind, to, false);
            return fail(kind, from, kind == Kind::Datatype ? MPI_ERR_INTERN : error);
        }
        guard.lock();
        if (wanted && find_keyval(number)) insert_attribute(map_of(kind, to), copy);
    }
    return MPI_SUCCESS;
}

int set(Kind kind, Record *object, const Attribute &attribute) {
    if (const int error = check_object(kind, object); error != MPI_SUCCESS) return fail(kind, object, error);
    bool known;
    bool present;
    {
        std::lock_guard locked(tables().lock);
        const Keyval *keyval = find_keyval(attribute.keyval);
        known = keyval && keyval->kind == kind;
        present = known && find_attribute(map_of(kind, object), attribute.keyval);
        if (known) ++find_keyval(attribute.keyval)->users;  // stays while the old value goes
    }
    if (!known) return fail(kind, object, kUnknownKeyval);
    const int error = present ? remove_one(kind, object, attribute.keyval) : MPI_SUCCESS;
    {
        std::lock_guard locked(tables().lock);
        if (error == MPI_SUCCESS) insert_attribute(map_of(kind, object), attribute);
        --find_keyval(attribute.keyval)->users;
        release_keyval(attribute.keyval);
    }
    return error == MPI_SUCCESS ? error : fail(kind, object, MPI_ERR_OTHER);
}

// Of windows: the live window need not be of the same kind, and MPI gives out pointers that have to stay valid.
bool get_of_window(const WinRecord *win, int keyval, void **value) {
    WinInfo &info = *win->info;
    if (keyval == MPI_WIN_BASE) *value = info.base;
    else if (keyval == MPI_WIN_SIZE) *value = &info.size;
    else if (keyval == MPI_WIN_DISP_UNIT) *value = &info.unit;
    else if (keyval == MPI_WIN_CREATE_FLAVOR) *value = &info.flavor;
    else if (keyval == MPI_WIN_MODEL) *value = &info.model;
    else return false;
    return true;
}

// Predefined attributes of communicators point to an int of the lower half; the application gets one of ours, which
// stays where it is over a restart.
int get_predefined(Kind kind, Record *object, int keyval, void **value, int *found) {
    static int values[kFirstKeyval];
    if (kind == Kind::Datatype)
        return lower.Type_get_attr(static_cast<MPI_Datatype>(object->real), keyval, value, found);
    if (kind == Kind::Win && static_cast<WinRecord *>(object)->info &&
        get_of_window(static_cast<WinRecord *>(object), keyval, value)) {
        *found = 1;
        return MPI_SUCCESS;
    }
    if (kind == Kind::Win) return lower.Win_get_attr(static_cast<MPI_Win>(object->real), keyval, value, found);
    const AttributeMap *map = static_cast<CommRecord *>(object)->attributes;
    const bool copied = map && map->like_world && keyval != MPI_LASTUSEDCODE;  // which Open MPI does not copy
    const MPI_Comm comm = copied ? real_of(MPI_COMM_WORLD) : static_cast<MPI_Comm>(object->real);
    const int error = lower.Comm_get_attr(comm, keyval, value, found);
    if (error != MPI_SUCCESS || !*found) return error;
    values[keyval] = *static_cast<int *>(*value);
    *value = &values[keyval];
    return error;
}

bool predefined_keyval(int keyval) { return keyval >= 0 && keyval < kFirstKeyval; }

// Calls use(attribute) with the attribute, or with what a predefined one is to C.
int get(Kind kind, Record *object, int number, int *found, auto use) {
    if (const int error = check_object(kind, object); error != MPI_SUCCESS) return fail(kind, object, error);
    if (!found) return fail(kind, object, MPI_ERR_ARG);
    if (predefined_keyval(number)) {
        void *value = nullptr;
        const int error = get_predefined(kind, object, number, &value, found);
        if (error != MPI_SUCCESS || !*found) return error;
        Attribute attribute{number, Binding::c, value};
        use(attribute, true);
        return error;
    }
    {
        std::lock_guard locked(tables().lock);
        if (find_keyval(number)) {
            Attribute *attribute = find_attribute(map_of(kind, object), number);
            *found = attribute != nullptr;
            if (attribute) use(*attribute, false);
            return MPI_SUCCESS;
        }
    }
    return fail(kind, object, kUnknownKeyval);
}

// MPI-3.1, 17.2.7: Fortran gets the value of a predefined attribute, where C gets a pointer to it; the base of a window
// is its address in both.
MPI_Aint predefined_value(const Attribute &attribute) {
    if (attribute.keyval == MPI_WIN_BASE) return attribute.as_address();
    if (attribute.keyval == MPI_WIN_SIZE) return *static_cast<MPI_Aint *>(attribute.pointer);
    return *static_cast<int *>(attribute.pointer);
}

int create(const Keyval &made, int *number) {
    if (!made.copy || !made.remove || !number) return fail(Kind::Datatype, nullptr, MPI_ERR_ARG);
    std::lock_guard locked(tables().lock);
    auto &all = tables().keyvals;
    const auto place = std::ranges::find_if(all, [](const auto &keyval) { return !keyval; });
    *number = kFirstKeyval + static_cast<int>(place - all.begin());
    auto keyval = std::make_unique<Keyval>(made);
    if (place == all.end())
        all.push_back(std::move(keyval));
    else
        *place = std::move(keyval);
    return MPI_SUCCESS;
}

}  // namespace

int create_keyval(Kind kind, Callback copy, Callback remove, void *extra_state, int *keyval) {
    return create({kind, Binding::c, copy, remove, extra_state, 0}, keyval);
}

int create_keyval_fortran(Kind kind, Binding binding, Callback copy, Callback remove, MPI_Aint extra_state,
                          int *keyval) {
    return create({kind, binding, copy, remove, nullptr, extra_state}, keyval);
}

int free_keyval(Kind kind, int *keyval) {
    if (!keyval) return fail(Kind::Datatype, nullptr, MPI_ERR_ARG);
    {
        std::lock_guard locked(tables().lock);
        if (Keyval *found = find_keyval(*keyval); found && found->kind == kind) {
            found->freed = true;
            release_keyval(*keyval);
            *keyval = MPI_KEYVAL_INVALID;
            return MPI_SUCCESS;
        }
    }
    return fail(Kind::Datatype, nullptr, kUnknownKeyval);
}

int set_attribute(Kind kind, Record *object, int keyval, void *value) {
    return set(kind, object, {keyval, Binding::c, value});
}
int set_attribute_fint(Kind kind, Record *object, int keyval, MPI_Fint value) {
    return set(kind, object, {keyval, Binding::fortran_integer, nullptr, value, 0});
}
int set_attribute_aint(Kind kind, Record *object, int keyval, MPI_Aint value) {
    return set(kind, object, {keyval, Binding::fortran_address, nullptr, 0, value});
}

int get_attribute(Kind kind, Record *object, int keyval, void *value, int *found) {
    if (!value) return fail(Kind::Datatype, nullptr, MPI_ERR_ARG);
    return get(kind, object, keyval, found,
               [=](Attribute &attribute, bool) { *static_cast<void **>(value) = attribute.as_c(); });
}
int get_attribute_fint(Kind kind, Record *object, int keyval, MPI_Fint *value, int *found) {
    return get(kind, object, keyval, found, [=](Attribute &attribute, bool predefined) {
        *value = predefined ? static_cast<MPI_Fint>(predefined_value(attribute)) : attribute.as_integer();
    });
}
int get_attribute_aint(Kind kind, Record *object, int keyval, MPI_Aint *value, int *found) {
    return get(kind, object, keyval, found, [=](Attribute &attribute, bool predefined) {
        *value = predefined ? predefined_value(attribute) : attribute.as_address();
    });
}

int delete_attribute(Kind kind, Record *object, int keyval) {
    if (const int error = check_object(kind, object); error != MPI_SUCCESS) return fail(kind, object, error);
    return remove_one(kind, object, keyval) == MPI_SUCCESS ? MPI_SUCCESS : fail(kind, object, MPI_ERR_OTHER);
}

int copy_attributes(CommRecord *from, CommRecord *to) {
    if (const int error = copy_all(Kind::Comm, from, to); error != MPI_SUCCESS) return error;
    // A rebuilt communicator is not made by MPI_Comm_dup, which would have copied the predefined ones.
    if (from == record_of(MPI_COMM_WORLD) || (from->attributes && from->attributes->like_world)) {
        std::lock_guard locked(tables().lock);
        if (!to->attributes) to->attributes = new AttributeMap;
        to->attributes->like_world = true;
    }
    return MPI_SUCCESS;
}
int copy_attributes(DatatypeRecord *from, DatatypeRecord *to) { return copy_all(Kind::Datatype, from, to); }

int delete_attributes(CommRecord *object) { return remove_all(Kind::Comm, object, true); }
int delete_attributes(DatatypeRecord *object) { return remove_all(Kind::Datatype, object, false); }
int delete_attributes(WinRecord *object) { return remove_all(Kind::Win, object, true); }

void describe_attributes(Describe describe, void *context) {
    std::lock_guard locked(tables().lock);
    const auto &all = tables().keyvals;
    for (size_t i = 0; i < all.size(); ++i) {
        if (!all[i]) continue;
        const Keyval &keyval = *all[i];
        char text[80];
        snprintf(text, sizeof text, "number %d, %d attributes%s", kFirstKeyval + static_cast<int>(i), keyval.users,
                 keyval.freed ? ", freed" : "");
        describe(context, "keyval",
                 keyval.kind == Kind::Comm       ? "MPI_Comm_create_keyval"
                 : keyval.kind == Kind::Datatype ? "MPI_Type_create_keyval"
                                                 : "MPI_Win_create_keyval",
                 text);
    }
}

}  // namespace sckpt::mpi
