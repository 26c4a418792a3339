// Pseudo-terminals of which the process holds both ends, or the master end alone.
#pragma once

#include <asm/termbits.h>

#include <cstdint>
#include <string>
#include <vector>

namespace sckpt {

struct OpenFile;

struct Terminal {
    int number = -1;  // of /dev/pts
    bool is_master = false;
    bool locked = false, packets = false;  // TIOCSPTLCK, TIOCPKT: of masters
    termios2 settings{};
    unsigned short size[4] = {};  // struct winsize
    std::string unread;
};

// Makes `terminal` of every descriptor that is an end of one of ours.
void look_at_terminals(std::vector<OpenFile> &all);

// Keeps what is unread in both ends of the terminal whose master this is.  A terminal lets nobody look without taking,
// so it is taken and put back.  False when that did not work.
bool copy_terminal(OpenFile &master, std::vector<OpenFile> &all);

// Makes all of them again at their numbers; the number in /dev/pts may be another one.  The error is a sentence.
std::string restore_terminals(const std::vector<OpenFile> &all, int above);

}  // namespace sckpt
