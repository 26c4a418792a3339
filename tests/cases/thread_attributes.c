// What a thread is asked about itself and others: its stack, guard, detach state and processors, before and after.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "testcase_mpi.h"

typedef struct Facts {
    void *stack;
    size_t size, guard;
    int detached, policy, scope;
} Facts;

static Facts facts_of(pthread_t thread) {
    pthread_attr_t attributes;
    Facts facts = {0};
    cpu_set_t set;
    CPU_ZERO(&set);
    CHECK_EQUAL(pthread_getattr_np(thread, &attributes), 0);
    pthread_attr_getstack(&attributes, &facts.stack, &facts.size);
    pthread_attr_getguardsize(&attributes, &facts.guard);
    pthread_attr_getdetachstate(&attributes, &facts.detached);
    pthread_attr_getschedpolicy(&attributes, &facts.policy);
    pthread_attr_getscope(&attributes, &facts.scope);
    CHECK_EQUAL(pthread_attr_getaffinity_np(&attributes, sizeof set, &set), 0);
    CHECK(CPU_COUNT(&set) > 0);
    pthread_attr_destroy(&attributes);
    return facts;
}
static void same(Facts now, Facts before) {
    CHECK(now.stack == before.stack && now.size == before.size);
    CHECK_EQUAL(now.guard, before.guard);
    CHECK_EQUAL(now.detached, before.detached);
    CHECK_EQUAL(now.policy, before.policy);
    CHECK_EQUAL(now.scope, before.scope);
}

static volatile int told, looked, ended;
static void *work(void *unused) {
    pthread_setname_np(pthread_self(), "app-worker");
    Facts mine = facts_of(pthread_self());
    CHECK((char *)&mine > (char *)mine.stack && (char *)&mine < (char *)mine.stack + mine.size);
    __atomic_add_fetch(&told, 1, __ATOMIC_SEQ_CST);
    wait_for_go();
    same(facts_of(pthread_self()), mine);
    while (!looked) nap();
    __atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
    return unused;
}

int main(int argc, char **argv) {
    start(&argc, &argv, "thread_attributes");
    pthread_t threads[3];
    pthread_attr_t attributes;
    for (int i = 0; i < 3; ++i) {
        pthread_attr_init(&attributes);
        if (i == 1) {
            pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
            pthread_attr_setguardsize(&attributes, 65536);
        }
        if (i == 2) {
            const size_t size = 1 << 18;
            void *own = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            CHECK(own != MAP_FAILED);
            CHECK_EQUAL(pthread_attr_setstack(&attributes, own, size), 0);
        }
        CHECK_EQUAL(pthread_create(&threads[i], &attributes, work, NULL), 0);
        pthread_attr_destroy(&attributes);
    }
    while (told < 3) nap();
    Facts main_thread = facts_of(pthread_self()), others[3];
    for (int i = 0; i < 3; ++i) others[i] = facts_of(threads[i]);
    CHECK_EQUAL(others[1].detached, PTHREAD_CREATE_DETACHED);
    ready();
    wait_for_go();
    Facts now = facts_of(pthread_self());
    // The main stack may grow; its upper end stays.
    CHECK((char *)now.stack + now.size == (char *)main_thread.stack + main_thread.size);
    for (int i = 0; i < 3; ++i) same(facts_of(threads[i]), others[i]);
    looked = 1;
    CHECK_EQUAL(pthread_join(threads[0], NULL), 0);
    CHECK_EQUAL(pthread_join(threads[2], NULL), 0);
    while (ended < 3) nap();
    return finish();
}
