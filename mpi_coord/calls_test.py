#!/usr/bin/env python3
"""Tests of gen_calls.py and of the checks in scripts/lint.py on a small made-up header: no compiler, no MPI."""
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / 'scripts')]
import gen_calls  # noqa: E402
import lint  # noqa: E402
from gen_calls import TableError  # noqa: E402

HEADER = '''\
/* mpi.h:1:NC */ extern int MPI_Bcast (void *, int, MPI_Datatype, int, MPI_Comm);
/* mpi.h:2:NC */ extern int PMPI_Bcast (void *, int, MPI_Datatype, int, MPI_Comm);
/* mpi.h:3:NC */ extern int MPI_Gather (const void *, MPI_Datatype, void *, MPI_Datatype, int, MPI_Comm);
/* mpi.h:4:NC */ extern int PMPI_Gather (const void *, MPI_Datatype, void *, MPI_Datatype, int, MPI_Comm);
/* mpi.h:5:NC */ extern int MPI_Win_create (MPI_Comm, MPI_Win *);
/* mpi.h:6:NC */ extern int PMPI_Win_create (MPI_Comm, MPI_Win *);
/* mpi.h:7:NC */ extern int MPI_Win_free (MPI_Win *);
/* mpi.h:8:NC */ extern int PMPI_Win_free (MPI_Win *);
/* mpi.h:9:NC */ extern double MPI_Wtime (void);
/* mpi.h:10:NC */ extern int MPIX_Query (int (*)[3]);
/* mpi.h:11:NC */ extern int MPI_User_function (void *, MPI_Datatype *);
'''

TABLE = '''\
# made up
hold window  a window is alive
MPI_Bcast      coll
MPI_Gather     coll    1=in_place:0 3=at_root:4
MPI_Win_create refuse  on=0 holds=window
MPI_Win_free   free    on=0 drops=window  # collective
MPI_Wtime      hand    # init.cc
MPIX_Query     pass
MPI_DUP_FN     leave
'''


def generate(name, table=TABLE, header=HEADER):
    prototypes = gen_calls.parse_prototypes(header)
    return gen_calls.wrapper(prototypes[name], gen_calls.parse_table(table).rows[name])


class Prototypes(unittest.TestCase):
    def test_function_types_and_profiling_names_are_no_functions_of_their_own(self):
        found = gen_calls.parse_prototypes(HEADER)
        self.assertEqual(sorted(found), ['MPIX_Query', 'MPI_Bcast', 'MPI_Gather', 'MPI_Win_create', 'MPI_Win_free',
                                         'MPI_Wtime'])
        self.assertEqual(found['MPI_Wtime'].result, 'double')
        self.assertEqual(found['MPI_Wtime'].params, ())
        self.assertTrue(found['MPI_Bcast'].profiled)
        self.assertFalse(found['MPIX_Query'].profiled)


class Wrappers(unittest.TestCase):
    def test_collective_finds_its_communicator_and_is_exported_under_both_names(self):
        self.assertEqual(generate('MPI_Bcast'), '''\
int PMPI_Bcast(void *a0, int a1, MPI_Datatype a2, int a3, MPI_Comm a4) {
    return call<policy::coll>(lower.Bcast, on(a4), a0, a1, in<Kind::Datatype>(a2), a3, in<Kind::Comm>(a4));
}
SCKPT_ALIAS_AS(PMPI_Bcast, MPI_Bcast)
''')

    def test_handles_that_may_hold_anything_are_guarded(self):
        text = generate('MPI_Gather')
        self.assertIn('in_if<Kind::Datatype>(a0 != MPI_IN_PLACE, a1)', text)
        self.assertIn('in_if<Kind::Datatype>(is_root(a4, a5), a3)', text)

    def test_refusal_names_its_reason_and_freeing_drops_it(self):
        self.assertIn('call<policy::refuse>(lower.Win_create, on(a0), holds(Hold::window), in<Kind::Comm>(a0), '
                      'out<Kind::Win>(a1))', generate('MPI_Win_create'))
        self.assertIn('call<policy::free>(lower.Win_free, on(*a0), drops(Hold::window), inout<Kind::Win>(a0))',
                      generate('MPI_Win_free'))

    def test_without_a_profiling_name_there_is_no_alias(self):
        self.assertEqual(generate('MPIX_Query'),
                         'int MPIX_Query(int (*a0)[3]) {\n    return call<policy::pass>(lower.X_Query, a0);\n}\n')

    def test_hand_written_ones_are_left_out_of_the_wrappers_and_kept_in_the_table_of_pointers(self):
        table, prototypes = gen_calls.parse_table(TABLE), gen_calls.parse_prototypes(HEADER)
        self.assertNotIn('Wtime', gen_calls.wrappers(table, prototypes))
        pointers = gen_calls.lower_table(prototypes)
        self.assertIn('decltype(&MPI_Wtime) Wtime;', pointers)
        self.assertIn('"MPI_Wtime",', pointers)
        self.assertIn('"PMPI_Bcast",', pointers)
        self.assertLess(pointers.index('X_Query;'), pointers.index('Bcast;'))
        self.assertLess(pointers.index('"MPIX_Query"'), pointers.index('"PMPI_Bcast"'))

    def test_arrays_of_a_persistent_collective_are_kept(self):
        header = ('/* x */ extern int MPIX_Scatterv_init (const void *, const int *, MPI_Datatype, void *, MPI_Datatype, int,'
                  ' MPI_Comm, MPI_Request *);\n/* x */ extern int MPIX_Neighbor_v_init (const void *, void *, const int *, MPI_Comm);\n')
        text = generate('MPIX_Scatterv_init', 'MPIX_Scatterv_init persist 1=at_root:5 2=at_root:5\n', header)
        self.assertIn('call<policy::persist>(lower.X_Scatterv_init, on(a6), a0, '
                      'Each{a1, is_root(a5, a6), a6, all_ranks, &Extent::send}, '
                      'in_if<Kind::Datatype>(is_root(a5, a6), a2)', text)
        self.assertIn('Each{a2, true, a3, neighbours, &Extent::receive}',
                      generate('MPIX_Neighbor_v_init', 'MPIX_Neighbor_v_init persist\n', header))

    def test_array_of_handles_must_be_written_by_hand(self):
        header = '/* x */ extern int MPI_Many (int, const MPI_Info *);\n'
        with self.assertRaisesRegex(TableError, 'array of handles: write it by hand'):
            generate('MPI_Many', 'MPI_Many pass\n', header)

    def test_collective_over_a_choice_of_communicators_must_say_which(self):
        header = '/* x */ extern int MPI_Two (MPI_Comm, MPI_Comm);\n'
        with self.assertRaisesRegex(TableError, 'what is it collective over'):
            generate('MPI_Two', 'MPI_Two coll\n', header)
        self.assertIn('on(a1)', generate('MPI_Two', 'MPI_Two coll on=1\n', header))


class Faults(unittest.TestCase):
    def refused(self, line, pattern):
        with self.assertRaisesRegex(TableError, pattern) as caught:
            gen_calls.parse_table('hold window a window\nMPI_Bcast coll\n' + line)
        self.assertEqual(caught.exception.line, 3)

    def test_bad_lines_are_named(self):
        self.refused('MPI_X sometimes', 'unknown policy sometimes')
        self.refused('MPI_X', 'needs a name and a policy')
        self.refused('MPI_X pass 1=sideways', '1=sideways is not understood')
        self.refused('MPI_X refuse', 'needs holds=REASON')
        self.refused('MPI_X refuse holds=door', 'door is not declared')
        self.refused('MPI_Bcast pass', 'has a line already, 2')
        self.refused('predefined ompi_x Colour', 'predefined SYMBOL KIND')

    def test_roles_must_fit_the_argument(self):
        for keys, pattern in (('0=out', 'not a handle'), ('2=out', 'by value'), ('9=out', 'no argument 9'),
                              ('2=at_root:9', 'no argument 9'), ('on=5', 'no argument 5')):
            with self.subTest(keys), self.assertRaisesRegex(TableError, pattern):
                generate('MPI_Bcast', f'MPI_Bcast coll {keys}\n')

    def test_table_and_header_must_name_the_same(self):
        prototypes = gen_calls.parse_prototypes(HEADER)
        gen_calls.check_complete(gen_calls.parse_table(TABLE), prototypes)
        for edit, pattern in ((('MPI_Bcast      coll\n', ''), 'MPI_Bcast: declared by mpi.h, no line'),
                              (('MPI_Bcast ', 'MPI_Bcats '), 'MPI_Bcast: declared'),
                              (('MPI_DUP_FN     leave', 'MPI_DUP_FN pass'), 'MPI_DUP_FN: not declared'),
                              (('MPI_Bcast      coll', 'MPI_Bcast leave'), 'cannot be left')):
            with self.subTest(edit), self.assertRaisesRegex(TableError, pattern):
                gen_calls.check_complete(gen_calls.parse_table(TABLE.replace(*edit)), prototypes)


class Predefined(unittest.TestCase):
    TEXT = ('extern struct ompi_predefined_op_t ompi_mpi_op_sum;\n'
            'extern struct ompi_predefined_communicator_t ompi_mpi_comm_world;\n'
            '#define MPI_SUM OMPI_PREDEFINED_GLOBAL(MPI_Op, ompi_mpi_op_sum)\n')

    def test_kind_and_least_room(self):
        sizes = {'ompi_mpi_op_sum': 2048, 'ompi_mpi_comm_world': 512, 'ompi_more': 256, 'other': 8}
        objects = gen_calls.find_predefined(self.TEXT, sizes, {'ompi_more': 'Op'})
        self.assertEqual(objects, [('ompi_more', 'Op', 256), ('ompi_mpi_comm_world', 'Comm', 512),
                                   ('ompi_mpi_op_sum', 'Op', 2048)])
        text = gen_calls.predefined_header(objects)
        self.assertIn('constexpr std::size_t Op = 256;', text)
        self.assertIn('X(Op, ompi_more, 256) \\\n', text)
        self.assertIn('X(Op, ompi_mpi_op_sum, 2048)\n', text)

    def test_what_libmpi_does_not_export_and_contradictions_are_errors(self):
        with self.assertRaisesRegex(ValueError, 'does not export these predefined objects: ompi_mpi_comm_world'):
            gen_calls.find_predefined(self.TEXT, {'ompi_mpi_op_sum': 1}, {})
        with self.assertRaisesRegex(ValueError, 'ompi_mpi_op_sum: mpi.h names it as Win'):
            gen_calls.find_predefined(self.TEXT.replace('(MPI_Op', '(MPI_Win'), {}, {})


class Files(unittest.TestCase):
    def test_same_text_does_not_touch_the_file(self):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / 'x'
            gen_calls.write_if_changed(path, 'one')
            before = path.stat().st_mtime_ns, path.stat().st_ino
            gen_calls.write_if_changed(path, 'one')
            self.assertEqual((path.stat().st_mtime_ns, path.stat().st_ino), before)
            gen_calls.write_if_changed(path, 'two')
            self.assertEqual(path.read_text(), 'two')


class Lint(unittest.TestCase):
    def test_who_may_include_whom(self):
        allowed = (('preload/checkpoint.cc', 'preload/base/log.h'), ('preload/checkpoint.cc', 'mpi_coord/half.h'),
                   ('preload/checkpoint.cc', 'storage_hdf5/image.h'), ('spank_plugin/plugin.cc', 'preload/env.h'),
                   ('mpi_coord/half.cc', 'mpi_coord/lower/abi.h'), ('mpi_coord/lower/a.cc', 'mpi_coord/lower/abi.h'),
                   ('preload/restore/main.cc', 'storage_hdf5/reader.h'), ('tests/unit/a.cc', 'preload/restart.h'),
                   ('preload/a.cc', 'mpi_coord/lower/abi.h'), ('mpi_coord/lower/a.cc', 'preload/base/system.h'))
        forbidden = (('preload/checkpoint.cc', 'storage_hdf5/writer.h'), ('mpi_coord/half.cc', 'preload/stop.h'),
                     ('storage_hdf5/a.cc', 'preload/env.h'), ('preload/a.cc', 'spank_plugin/options.h'),
                     ('preload/a.cc', 'mpi_coord/lower/arena.h'), ('mpi_coord/lower/a.cc', 'mpi_coord/half.h'),
                     ('preload/base/a.cc', 'preload/env.h'), ('spank_plugin/a.cc', 'storage_hdf5/image.h'),
                     ('preload/a.cc', 'tests/unit/help.h'), ('mpi_coord/half.cc', 'mpi_coord/lower/arena.h'))
        for path, target in allowed:
            self.assertIsNone(lint.include_fault(path, target), (path, target))
        for path, target in forbidden:
            self.assertIn(target, lint.include_fault(path, target) or '', (path, target))
        self.assertIn('only storage_hdf5/', lint.library_fault('preload/a.cc', 'hdf5.h'))
        self.assertIsNone(lint.library_fault('storage_hdf5/a.cc', 'hdf5.h'))

    def test_faults_of_the_table(self):
        table, prototypes = gen_calls.parse_table(TABLE), gen_calls.parse_prototypes(HEADER)
        exported = {*prototypes, *(f'P{p.name}' for p in prototypes.values() if p.profiled), 'MPI_DUP_FN'}
        self.assertEqual(list(lint.table_faults(table, prototypes, exported)), [])
        self.assertEqual(list(lint.table_faults(table, prototypes, exported | {'MPI_Old', 'PMPIX_Query'})),
                         ['mpi_coord/calls.tbl:1: MPI_Old: exported by libmpi, no line in the table',
                          'mpi_coord/calls.tbl:8: PMPIX_Query: exported by libmpi, but mpi_all.h does not declare it'])
        self.assertEqual(list(lint.table_faults(table, prototypes, exported - {'MPI_Bcast'})),
                         ['mpi_coord/calls.tbl:3: MPI_Bcast: libmpi does not export it'])

    def test_what_the_interceptor_lets_pass(self):
        table = gen_calls.parse_table(TABLE)
        faults = list(lint.export_faults(table, {'MPI_Bcast', 'PMPI_Bcast', 'MPI_DUP_FN'}, 'our.so', {'MPI_Bcast'}))
        self.assertEqual(faults, ['mpi_coord/calls.tbl:3: PMPI_Bcast: our.so does not export it'])

    def test_definitions_are_told_from_declarations_calls_and_comments(self):
        text = '''
            int PMPI_Send(const void *b, int (*f)(int)) { return MPI_Called(b); }
            MPI_Comm MPI_Comm_f2c(int n) noexcept
            {
            }
            // int PMPI_Comment(void) {
            int MPI_Declared(void);
            void g() { if (MPI_Tested(1)) { } }
            const char *s = "int MPI_Quoted() {";
        '''
        self.assertEqual(lint.defined_functions(text), {'MPI_Send', 'MPI_Comm_f2c'})
        table = gen_calls.parse_table('MPI_Send hand\nMPI_Recv hand\n')
        self.assertEqual(list(lint.hand_faults(table, lint.defined_functions(text))),
                         ['mpi_coord/calls.tbl:2: MPI_Recv: is to be written by hand, and no source of mpi_coord/ '
                          'defines it'])


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])  # the options that `make unit` gives are GoogleTest's
