"""Python face of testcase.h."""
import os
import time

DIRECTORY = os.environ["SCKPT_CASE_DIR"]
RANK = next((os.environ[name] for name in ("PMIX_RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK") if name in os.environ), "0")


def _write(leaf, text):
    temporary = f"{DIRECTORY}/.{leaf}.{RANK}.new"
    with open(temporary, "w") as file:
        file.write(text)
    os.rename(temporary, f"{DIRECTORY}/{leaf}.{RANK}")


def begin():
    """Starts the case, and fails when it was begun before: a restored program does not come here again."""
    try:
        os.close(os.open(f"{DIRECTORY}/begun.{RANK}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        fail("the program was started from its beginning instead of being restored")


def ready():
    """Tells the runner that the state under test exists."""
    _write("ready", f"{os.getpid()}\n")


def wait_for_go():
    while not os.access(f"{DIRECTORY}/go", os.F_OK):
        time.sleep(0.002)


def passed():
    _write("result", "pass\n")


def fail(sentence):
    """Records what was wrong and ends this process at once."""
    os.write(2, f"rank {RANK}: {sentence}\n".encode())
    _write("result", sentence)
    os._exit(1)


def check(condition, sentence):
    if not condition:
        fail(sentence)
