// MPI-3.1, chapter 9: info objects.  Order of keys, long keys and values, deleting, duplicating, MPI_INFO_ENV, errors.
#include "conformance.h"

static MPI_Info infos[4];
static char long_key[MPI_MAX_INFO_KEY + 2], long_value[MPI_MAX_INFO_VAL + 2];

static void make(void) {
    char key[20], value[20];
    for (int i = 0; i < 3; ++i) CALL(MPI_Info_create(&infos[i]));
    for (int i = 9; i >= 0; --i) {
        snprintf(key, sizeof key, "key %d", i * 7 % 10);
        snprintf(value, sizeof value, "%*d", i, rank);
        CALL(MPI_Info_set(infos[0], key, value));
    }
    CALL(MPI_Info_set(infos[0], "key 3", "another"));
    CALL(MPI_Info_delete(infos[0], "key 5"));
    memset(long_key, 'k', MPI_MAX_INFO_KEY - 1);
    memset(long_value, 'v', MPI_MAX_INFO_VAL - 1);
    CALL(MPI_Info_set(infos[1], long_key, long_value));
    CALL(MPI_Info_set(infos[1], "  between blanks ", "  kept  "));
    CALL(MPI_Info_dup(infos[0], &infos[3]));
    CALL(MPI_Info_set(infos[3], "only in the copy", "yes"));
}

static void tell_info(MPI_Info info) {
    int keys, length, found;
    char key[MPI_MAX_INFO_KEY + 1], value[MPI_MAX_INFO_VAL + 1];
    CALL(MPI_Info_get_nkeys(info, &keys));
    TELL(keys);
    for (int i = 0; i < keys; ++i) {
        memset(value, 0, sizeof value);
        MPI_Info_get_nthkey(info, i, key);
        MPI_Info_get_valuelen(info, key, &length, &found);
        tell("  %d: '%s', %d %d", i, key, length, found);
        MPI_Info_get(info, key, MPI_MAX_INFO_VAL, value, &found);
        tell("  '%s' %d", value, found);
        MPI_Info_get(info, key, 3, value, &found);
        tell("  '%.3s' %d", value, found);
    }
}

static void look(void) {
    char key[MPI_MAX_INFO_KEY + 1], value[MPI_MAX_INFO_VAL + 1] = "untouched";
    int found, length;
    MPI_Info made;
    for (int i = 0; i < 4; ++i) tell_info(infos[i]);
    CALL(MPI_Info_get(infos[0], "nothing", 10, value, &found));
    tell("%d %s", found, value);
    CALL(MPI_Info_get_valuelen(infos[0], "nothing", &length, &found));
    TELL(found);
    CALL(MPI_Info_dup(infos[1], &made));
    tell_info(made);
    CALL(MPI_Info_free(&made));
    TELL(made == MPI_INFO_NULL);

    CALL(MPI_Info_delete(infos[0], "nothing"));
    CALL(MPI_Info_get_nthkey(infos[0], 99, key));
    CALL(MPI_Info_get_nthkey(infos[0], -1, key));
    CALL(MPI_Info_set(infos[2], "", "value"));
    CALL(MPI_Info_set(infos[2], "key", ""));
    CALL(MPI_Info_set(infos[2], NULL, "value"));
    CALL(MPI_Info_set(infos[2], "key", NULL));
    long_key[MPI_MAX_INFO_KEY - 1] = long_key[MPI_MAX_INFO_KEY] = 'k';
    CALL(MPI_Info_set(infos[2], long_key, "value"));
    long_key[MPI_MAX_INFO_KEY - 1] = 0;
    CALL(MPI_Info_set(MPI_INFO_NULL, "key", "value"));
    CALL(MPI_Info_get(MPI_INFO_NULL, "key", 9, value, &found));
    CALL(MPI_Info_get(infos[0], "key 1", -1, value, &found));
    CALL(MPI_Info_get_nkeys(MPI_INFO_NULL, &found));
    CALL(MPI_Info_dup(MPI_INFO_NULL, &made));
    CALL(MPI_Info_create(NULL));
    made = MPI_INFO_NULL;
    CALL(MPI_Info_free(&made));
    CALL(MPI_Info_get(MPI_INFO_ENV, "maxprocs", MPI_MAX_INFO_VAL, value, &found));
    tell("maxprocs %s %d", value, found);
}

int main(int argc, char **argv) { return conformance(argc, argv, "conf_info", make, look); }
