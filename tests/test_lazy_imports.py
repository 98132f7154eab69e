"""Imports on first use: none at ``import ktc``, and Ctrl-C during one leaves nothing half done."""

import os
import subprocess
import sys

import pytest

# Sends SIGINT to itself while the k-th module of those that a call needs is imported.
PROGRAM = """
import os, signal, sys
import ktc
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a job of the background
class Interrupting:
    left = int(sys.argv[1])
    def find_spec(self, name, path=None, target=None):
        Interrupting.left -= 1
        if Interrupting.left == 0:
            os.kill(os.getpid(), signal.SIGINT)
        return None
sys.meta_path.insert(0, Interrupting())
network = ktc.Network([[2.0, 0.5], [0.5, 1.0]], [1.0, 2.0])
def call():
    {call}
interrupted = 0
while True:
    try:
        call()
        break
    except KeyboardInterrupt:
        interrupted += 1
call()
print(interrupted, Interrupting.left)
"""

CALLS = {
    "linalg": "ktc.theory.least_dissipation(network, network.with_controls(bias=1.0), 1.0)",
    "sparse": "ktc.lattices.grid(3, 3, own=1.0, coupling=0.5)",
    "optimize": "ktc.theory.bennett([1.0, 2.0], [-1.0, 0.5], 1.0)",
}


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("which", [1, 2, 5, 12, 30, 70])
def test_interrupted_while_it_imports(name, which):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(call=CALLS[name]), str(which)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    interrupted, left = map(int, done.stdout.split())
    # The last of them come after the imports of the smaller modules have ended.
    assert interrupted == (left <= 0)


def test_import_of_ktc_leaves_scipy_alone():
    code = "import sys, ktc; print(sorted(m for m in sys.modules if m.startswith('scipy.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
