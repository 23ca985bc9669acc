/* Where the methods are reached: the paths of the classic service, of its successor and of trial
 * registration. Paths are decoded already; any case; any folders may stand before an entry point.
 *
 * Every path has one canonical spelling, that of the classic service and the method's own name, so
 * that one access rule holds for all spellings. */
#ifndef QLM_SERVICE_ENTRY_H
#define QLM_SERVICE_ENTRY_H

#include <apr_pools.h>

typedef struct qlm_entry_t {
    const char *path; /**< what stands between the folder and the method, such as "/qlmservice.asmx"
                       */
    int has_index;    /**< the bare path lists the methods */
    const char *only; /**< the one method that is served here, NULL = all are */
} qlm_entry_t;

/** All entry points, the canonical one first; the last has a NULL path. */
extern const qlm_entry_t qlm_entries[];

/** Find the first entry point in @a path. @return NULL if there is none
 * @param folder_length  set to how many bytes stand before it; may be NULL
 * @param rest           set to what follows it, without the slash: "" for the bare path; may be
 *                       NULL */
const qlm_entry_t *qlm_entry_find(apr_size_t *folder_length, const char **rest, const char *path);

/** The name in @a rest as the method table spells it, as it is if it knows none; without slashes at
 * its end. In @a pool. */
const char *qlm_entry_method(const char *rest, apr_pool_t *pool);

/** The canonical spelling: @a folder, "/qlmservice.asmx", and @a method unless that is "". */
const char *qlm_entry_canonical(const char *folder, const char *method, apr_pool_t *pool);

#endif
