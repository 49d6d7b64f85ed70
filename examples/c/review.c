/* One whole review in a program in C: review PROJECT.toml RELEASED.json LEDGER PURPOSE DATE
 *
 * Texts are found in answers by their names, which does for an example; a program takes a library for JSON.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "earlyhelp.h"

enum { MOST = 4096 };

static char always[MOST];

/* Asks, and gives the answer, which the caller gives back. Ends the program where it is an error. */
static char *ask(const EarlyhelpService *service, const char *fields)
{
    char question[2 * MOST];
    int length = snprintf(question, sizeof question, "{\"v\":1,\"id\":1,%s,%s}", always, fields);
    if (length < 0 || (size_t) length >= sizeof question) {
        fprintf(stderr, "the question is too long\n");
        exit(1);
    }
    char *answer = earlyhelp_answer(service, question, (size_t) length);
    if (answer == NULL || strstr(answer, "\"error\":") != NULL) {
        fprintf(stderr, "%s\n", answer == NULL ? "no answer" : answer);
        exit(1);
    }
    return answer;
}

/* Copies the first text of a name. */
static void text_of(const char *answer, const char *name, char *text, size_t size)
{
    char quoted[64];
    snprintf(quoted, sizeof quoted, "\"%s\":\"", name);
    const char *begin = strstr(answer, quoted);
    size_t length = 0;
    if (begin != NULL) {
        begin += strlen(quoted);
        length = strcspn(begin, "\"");
    }
    if (length >= size) {
        length = size - 1;
    }
    memcpy(text, begin == NULL ? "" : begin, length);
    text[length] = '\0';
}

int main(int count, char **arguments)
{
    if (count != 6) {
        fprintf(stderr, "review PROJECT.toml RELEASED.json LEDGER PURPOSE DATE\n");
        return 2;
    }
    char setup[MOST], fields[MOST], run[64], person[256], band[64];
    const char *date = arguments[5];

    /* What cannot be opened says why. */
    char *error = NULL;
    if (earlyhelp_open("{\"project\":1}", &error) != NULL || error == NULL) {
        return 1;
    }
    printf("%s\n", error);
    earlyhelp_free(error);

    snprintf(setup, sizeof setup, "{\"project\":\"%s\",\"model\":\"%s\",\"ledger\":\"%s\"}", arguments[1], arguments[2], arguments[3]);
    EarlyhelpService *service = earlyhelp_open(setup, &error);
    if (service == NULL) {
        fprintf(stderr, "%s\n", error);
        earlyhelp_free(error);
        return 1;
    }
    snprintf(always, sizeof always, "\"by\":\"C. Worker\",\"purpose\":\"%s\",\"on\":\"%s\"", arguments[4], date);

    snprintf(fields, sizeof fields, "\"do\":\"score\",\"as_of\":\"%s\",\"capacity\":5", date);
    char *answer = ask(service, fields);
    text_of(answer, "run", run, sizeof run);
    earlyhelp_free(answer);

    snprintf(fields, sizeof fields, "\"do\":\"open\",\"run\":\"%s\",\"place\":1,\"role\":\"Practitioner\"", run);
    answer = ask(service, fields);
    text_of(answer, "entity", person, sizeof person);
    text_of(answer, "name", band, sizeof band);
    printf("place 1: %s of scores\n", band);
    earlyhelp_free(answer);

    /* What the model says today of one person is on record, and on no list. */
    snprintf(fields, sizeof fields, "\"do\":\"explain\",\"person\":\"%s\",\"as_of\":\"%s\"", person, date);
    answer = ask(service, fields);
    text_of(answer, "words", fields, sizeof fields);
    printf("  %s\n", fields);
    earlyhelp_free(answer);

    snprintf(fields, sizeof fields,
             "\"do\":\"decide\",\"run\":\"%s\",\"place\":1,\"role\":\"Practitioner\",\"step\":\"seek_information\","
             "\"agreement\":\"cannot_tell\",\"reason\":\"Ask the school first.\"", run);
    answer = ask(service, fields);
    printf("decided: %s\n", answer);
    earlyhelp_free(answer);

    /* A question that is none is an answer, too; and nothing is nothing to give back. */
    answer = earlyhelp_answer(service, "\xff\xfe", 2);
    printf("%s\n", answer);
    earlyhelp_free(answer);
    answer = earlyhelp_answer(service, NULL, 0);
    earlyhelp_free(answer);
    earlyhelp_free(NULL);
    earlyhelp_close(service);
    earlyhelp_close(NULL);
    return earlyhelp_answer(NULL, "{}", 2) == NULL ? 0 : 1;
}
