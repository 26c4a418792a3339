#!/usr/bin/python3
"""The comparison in scripts/demo notices every kind of difference, and nothing else."""

import importlib.machinery
import importlib.util
import os
import unittest

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "demo")
loader = importlib.machinery.SourceFileLoader("demo", PATH)
demo = importlib.util.module_from_spec(importlib.util.spec_from_loader("demo", loader))
loader.exec_module(demo)

LOG = """\
LAMMPS (29 Sep 2021 - Update 2)
Created 32000 atoms
  create_atoms CPU = 0.003 seconds
Step Temp E_pair E_mol TotEng Press
       0         1.44   -6.7733681            0   -4.6134356   -5.0197073
      10    1.1253949   -6.3000527            0   -4.6120132   -2.5596852
      20    0.6257938   -5.5565565            0   -4.6178952   0.97351766
Loop time of 6.27304 on 4 procs for 20 steps with 32000 atoms

Performance: 27546.452 tau/day, 63.765 timesteps/s
21.3% CPU use with 4 MPI tasks x 1 OpenMP threads

MPI task timing breakdown:
Section |  min time  |  avg time  |  max time  |%varavg| %total
---------------------------------------------------------------
Pair    | 1.7667     | 2.2247     | 2.4386     |  17.9 | 35.46
Other   |            | 0.01903    |            |       |  0.30

Nlocal:        8000.00 ave        8067 max        7929 min
Total wall time: 0:00:06
""".splitlines(keepends=True)


def changed(old, new):
    text = "".join(LOG)
    assert old in text
    return text.replace(old, new).splitlines(keepends=True)


class Comparison(unittest.TestCase):
    def test_wall_clock_does_not_matter(self):
        for old, new in (
            ("Loop time of 6.27304", "Loop time of 9.1"),
            ("27546.452 tau/day, 63.765", "1.5 tau/day, 0.1"),
            ("21.3% CPU", "100.0% CPU"),
            ("Pair    | 1.7667     | 2.2247", "Pair    | 3.1        | 9.9"),
            ("Other   |            | 0.01903", "Other   |            | 0.5"),
            ("0:00:06", "0:01:44"),
            ("create_atoms CPU = 0.003", "create_atoms CPU = 1.2e-05"),
        ):
            with self.subTest(new=new):
                self.assertIsNone(demo.first_difference(LOG, changed(old, new)))

    def test_the_last_digit_matters(self):
        for old, new in (("-2.5596852", "-2.5596853"), ("32000 atoms\n  create", "32001 atoms\n  create"), ("8067 max", "8068 max")):
            with self.subTest(new=new):
                self.assertIsNotNone(demo.first_difference(LOG, changed(old, new)))

    def test_difference_names_the_line(self):
        self.assertIn("line 6 ", demo.first_difference(LOG, changed("-2.5596852", "-2.5596853")))

    def test_missing_doubled_and_truncated_lines(self):
        for wrong in (LOG[:5] + LOG[6:], LOG[:6] + LOG[5:], LOG[:-2], LOG + ["one more\n"], LOG[:5], [], LOG[:6] + LOG[7:]):
            with self.subTest(wrong=wrong):
                self.assertIsNotNone(demo.first_difference(LOG, wrong))
                self.assertIsNotNone(demo.first_difference(wrong, LOG))

    def test_a_missing_breakdown_does_not_hide_what_follows(self):
        start = LOG.index("MPI task timing breakdown:\n")
        self.assertIsNotNone(demo.first_difference(LOG, LOG[:start]))


class Steps(unittest.TestCase):
    def test_steps(self):
        self.assertEqual(demo.thermo_steps(LOG), [0, 10, 20])

    def test_a_line_being_written_does_not_count(self):
        self.assertEqual(demo.thermo_steps(LOG[:6] + ["      20    0.62"]), [0, 10])

    def test_complete_output_passes(self):
        demo.check_steps("log", LOG, 20)

    def test_wrong_output_fails(self):
        for wrong, last, why in (
            (LOG[:6] + LOG[5:], 20, "step 10 twice"),
            (LOG[:5] + LOG[6:], 20, "lacks step 10"),
            (LOG, 30, "lacks step 30"),
            (LOG[:7] + LOG, 20, "step 0 twice"),
            (LOG[:1] + LOG, 20, "more than one start"),
        ):
            with self.subTest(why=why), self.assertRaisesRegex(demo.Failure, why):
                demo.check_steps("log", wrong, last)


class Beginning(unittest.TestCase):
    def test_only_the_beginning_counts(self):
        import tempfile

        with tempfile.NamedTemporaryFile() as file:
            file.write(b"abcdef")
            file.flush()
            first = demo.beginning_of(file.name, 4)
            file.write(b"more")
            file.flush()
            self.assertEqual(first, demo.beginning_of(file.name, 4))
            self.assertEqual("shorter", demo.beginning_of(file.name, 11))
            file.seek(0)
            file.write(b"x")
            file.flush()
            self.assertNotEqual(first, demo.beginning_of(file.name, 4))


if __name__ == "__main__":
    unittest.main()
