/* Threads that load the library, use it or not, close it and end; a library that went away would take the host with it.
 *
 *     unload LIBRARY CHAIN */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

static const char *library, *path;
static int failures;

static void *work(void *given) {
    int use = *(int *)given;
    void *loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!loaded) {
        puts(dlerror());
        failures++;
        return NULL;
    }
    int (*read)(const char *, void **) = (int (*)(const char *, void **))dlsym(loaded, "poise_chain_read");
    void (*release)(void *) = (void (*)(void *))dlsym(loaded, "poise_chain_free");
    void *chain = NULL;
    if (!read || !release || (use && read(path, &chain) != 0)) failures++;
    if (use && read("/nowhere", &chain) == 0) failures++;
    if (chain) release(chain);
    dlclose(loaded);
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    library = arguments[1];
    path = arguments[2];
    for (int round = 0; round < 10; round++) {
        pthread_t threads[4];
        int use = round % 2;
        for (int i = 0; i < 4; i++) pthread_create(threads + i, NULL, work, &use);
        for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    }
    printf("40 threads have loaded and closed the library, %d failures\n", failures);
    return failures != 0;
}
