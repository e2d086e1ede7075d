// Collecting and printing findings (see findings.h).
#include "client/survey/findings.h"

#include "client/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SENTENCE_SIZE 2048

static const char *const level_names[FINDING_LEVEL_COUNT] = {"error", "warning", "note"};

enum q_err finding_add(struct findings *f, enum finding_level level, const char *id,
                       const char *where, const char *remedy, const char *format, ...)
{
    char what[SENTENCE_SIZE];
    va_list values;
    va_start(values, format);
    int n = vsnprintf(what, sizeof what, format, values);
    va_end(values);
    f->counts[level]++;
    if (f->n == FINDINGS_MAX)
        return Q_OK;
    struct finding *one = &f->items[f->n++];
    *one = (struct finding){.level = level, .id = id};
    TRY(arena_copy(f->arena, bytes_str(where), &one->where));
    TRY(arena_copy(f->arena, bytes_str(remedy), &one->remedy));
    return arena_copy(f->arena, bytes_str(n < 0 ? "?" : what), &one->what);
}

bool finding_is_there(const struct findings *f, const char *id)
{
    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->items[i].id, id) == 0)
            return true;
    }
    return false;
}

static void print_one(const struct finding *one)
{
    BUF_AUTO where = {0}, what = {0}, remedy = {0};
    printf("%s: %s: %s [%s]\n", level_names[one->level], output_shown(one->where, &where),
           output_shown(one->what, &what), one->id);
    if (one->remedy.n > 0)
        printf("    remedy: %s\n", output_shown(one->remedy, &remedy));
}

enum q_err findings_print(const struct findings *f)
{
    for (int level = 0; level < FINDING_LEVEL_COUNT; level++) {
        for (size_t i = 0; i < f->n; i++) {
            if ((int)f->items[i].level == level)
                print_one(&f->items[i]);
        }
    }
    printf("errors: %zu, warnings: %zu, notes: %zu\n", f->counts[FINDING_ERROR],
           f->counts[FINDING_WARNING], f->counts[FINDING_NOTE]);
    return Q_OK;
}

static enum q_err put_one(const struct finding *one, json_t *list)
{
    json_t *o = json_object();
    TRY(json_push(list, o));
    TRY(json_put(o, "level", json_text(level_names[one->level])));
    TRY(json_put(o, "id", json_text(one->id)));
    TRY(json_put(o, "where", json_shown(one->where)));
    TRY(json_put(o, "what", json_shown(one->what)));
    return json_put(o, "remedy", json_shown(one->remedy));
}

enum q_err findings_print_json(const struct findings *f)
{
    JSON_AUTO *object = NULL;
    json_t *list = json_array();
    enum q_err err = json_tree_object(&object);
    if (err != Q_OK) {
        json_decref(list);
        return err;
    }
    TRY(json_put(object, "findings", list));
    TRY(json_put(object, "errors", json_integer((json_int_t)f->counts[FINDING_ERROR])));
    TRY(json_put(object, "warnings", json_integer((json_int_t)f->counts[FINDING_WARNING])));
    for (size_t i = 0; i < f->n; i++)
        TRY(put_one(&f->items[i], list));
    return json_print(object, false);
}

enum q_err findings_verdict(const struct findings *f)
{
    if (f->counts[FINDING_ERROR] == 0)
        return Q_OK;
    return fail(Q_REFUSED, "doctor: expected no errors, found %zu", f->counts[FINDING_ERROR]);
}
