// A plugin of QEMU user mode: instructions executed at first <= address < end, on stderr at exit.
// Debian has no header for it; declarations after QEMU 7.2's include/qemu/qemu-plugin.h, API 1.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct block;
struct instruction;
enum { ADD_U64 };

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct block *));
size_t qemu_plugin_tb_n_insns(const struct block *);
struct instruction *qemu_plugin_tb_get_insn(const struct block *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct instruction *);
void qemu_plugin_register_vcpu_insn_exec_inline(struct instruction *, int, void *, uint64_t);
void qemu_plugin_register_atexit_cb(plugin_id, void (*)(plugin_id, void *), void *);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

static uint64_t first, end, executed;

static void translated(plugin_id id, struct block *block) {
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct instruction *each = qemu_plugin_tb_get_insn(block, i);
        uint64_t at = qemu_plugin_insn_vaddr(each);
        if (at >= first && at < end) {
            qemu_plugin_register_vcpu_insn_exec_inline(each, ADD_U64, &executed, 1);
        }
    }
}

static void print(plugin_id id, void *data) {
    (void)id;
    (void)data;
    fprintf(stderr, "%" PRIu64 "\n", executed);
}

// arguments: first=, end=
__attribute__((visibility("default"))) int qemu_plugin_install(
    plugin_id id, const void *info, int count, char **arguments) {
    (void)info;
    if (count != 2) {
        return 1;
    }
    first = strtoull(strchr(arguments[0], '=') + 1, NULL, 10);
    end = strtoull(strchr(arguments[1], '=') + 1, NULL, 10);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, print, NULL);
    return 0;
}
