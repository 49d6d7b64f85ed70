#ifndef EARLYHELP_H
#define EARLYHELP_H

/* Made by cbindgen from src/lib.rs: cbindgen --config cbindgen.toml --output earlyhelp.h */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// A service: a project's records, a released model and a ledger. Any number of threads may ask it at once.
typedef struct EarlyhelpService EarlyhelpService;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Opens a service, which takes as long as reading the project's extracts does.
//
// `setup` is a JSON object, in UTF-8 and ended by a zero byte: {"project": PATH, "model": PATH, "ledger": PATH}, and, where needed,
// "extracts": PATH and "may_read": [PATH, ...].
//
// Gives NULL where it cannot be opened. Then, if `error` is not NULL, *error is a JSON object {"class": ..., "says": ...}, which
// is given back by `earlyhelp_free`; otherwise *error is NULL.
//
// # Safety
// `setup` points to a text that ends in a zero byte; `error` is NULL or points to where a pointer can be written.
struct EarlyhelpService *earlyhelp_open(const char *setup,
                                        char **error);

// Answers one question: one JSON object of `length` bytes in UTF-8, which need not end in a zero byte. The answer is one line of
// JSON without its end, ended by a zero byte, and is given back by `earlyhelp_free`. It is never NULL, unless there is no memory
// or `service` is NULL: what is wrong with a question is an answer, too.
//
// # Safety
// `service` is NULL or from `earlyhelp_open` and not closed; `question` is NULL or points to `length` bytes.
char *earlyhelp_answer(const struct EarlyhelpService *service,
                       const char *question,
                       uintptr_t length);

// Gives a text back. NULL is nothing to give back.
//
// # Safety
// `text` is NULL or from one of these functions, and not given back before.
void earlyhelp_free(char *text);

// Closes a service. What it answered is on record. NULL is nothing to close.
//
// # Safety
// `service` is NULL or from `earlyhelp_open`, not closed before, and nobody asks it any more.
void earlyhelp_close(struct EarlyhelpService *service);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* EARLYHELP_H */
