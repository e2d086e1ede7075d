// Asking people (see prompt.h).
#include "client/prompt.h"

#define ATTEMPTS 3
#define ANSWER_SIZE 256

static const char again[] = "Please answer with either \"yes\" (y) or \"no\" (n)";

static bool is_one_of(struct bytes answer, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes_is(answer, words[i]))
            return true;
    }
    return false;
}

static bool is_yes(struct bytes answer)
{
    static const char *const words[] = {"yes", "Yes", "YES", "Y", "y"};
    return is_one_of(answer, words, sizeof words / sizeof words[0]);
}

static bool is_no(struct bytes answer)
{
    static const char *const words[] = {"no", "No", "NO", "N", "n"};
    return is_one_of(answer, words, sizeof words / sizeof words[0]);
}

// One line without its end; a line that does not fit is read to its end and counts as empty.
static struct bytes read_line(FILE *in, char line[static ANSWER_SIZE])
{
    size_t n = 0;
    for (;;) {
        int c = getc(in);
        if (c == EOF || c == '\n')
            break;
        if (n < ANSWER_SIZE)
            line[n] = (char)c;
        n += n <= ANSWER_SIZE ? 1 : 0;
    }
    return bytes_trim(bytes_of(line, n <= ANSWER_SIZE ? n : 0));
}

bool prompt_yes(const struct prompt *p, const char *question)
{
    char line[ANSWER_SIZE];
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        fprintf(p->out, "%s\n", attempt == 0 ? question : again);
        if (fflush(p->out) != 0)
            return false; // nobody sees what is asked
        struct bytes answer = read_line(p->in, line);
        if (is_yes(answer))
            return true;
        if (is_no(answer))
            return false;
    }
    return false;
}
