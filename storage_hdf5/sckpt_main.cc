// The command `sckpt`: what checkpoints there are, whether they are good, and taking one now.  See sckpt(1).
#include <iostream>

#include "storage_hdf5/sckpt_command.h"

int main(int argc, char **argv) {
    int status = 0;
    CLI::App app{"Checkpoints of MPI jobs under Slurm.", "sckpt"};
    app.require_subcommand(1);
    app.failure_message([](const CLI::App *, const CLI::Error &error) {
        return std::string("sckpt: error: ") + error.what() + "\nTry \"sckpt --help\" for more information\n";
    });
    try {
        sckpt::command::add_list(app, status);
        sckpt::command::add_verify(app, status);
        sckpt::command::add_restart_point(app, status);
        sckpt::command::add_create(app, status);
        sckpt::command::add_show(app, status);
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        return app.exit(error) == 0 ? 0 : 1;
    } catch (const std::exception &error) {
        return sckpt::command::fail(error.what());
    }
    std::cout.flush();
    return std::cout ? status : sckpt::command::fail("cannot write to standard output");
}
