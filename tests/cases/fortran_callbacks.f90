! Callbacks written in Fortran: attribute copy and delete functions of both generations, error handlers, a user operation
! that asks MPI about its datatype; and predefined attributes, sized types, conversion between generations.
module callbacks
  use mpi
  implicit none
  integer :: copies = 0, deletes = 0, errors = 0, last_error = MPI_SUCCESS, last_comm = MPI_COMM_NULL
  ! Open MPI 4.1 gives a delete function any number for the communicator: not checked.
  integer :: ignored
contains
  subroutine copy_address(oldcomm, keyval, extra, value_in, value_out, flag, ierror)
    integer :: oldcomm, keyval, ierror
    integer(kind=MPI_ADDRESS_KIND) :: extra, value_in, value_out
    logical :: flag
    last_comm = oldcomm
    copies = copies + 1
    value_out = value_in + extra
    flag = keyval /= MPI_KEYVAL_INVALID
    ierror = MPI_SUCCESS
  end subroutine
  subroutine delete_address(comm, keyval, value, extra, ierror)
    integer :: comm, keyval, ierror
    integer(kind=MPI_ADDRESS_KIND) :: extra, value
    if (extra == 3 .and. value > 0 .and. keyval /= MPI_KEYVAL_INVALID) deletes = deletes + 1
    ierror = MPI_SUCCESS
    ignored = comm
  end subroutine
  subroutine copy_integer(oldcomm, keyval, extra, value_in, value_out, flag, ierror)
    integer :: oldcomm, keyval, extra, value_in, value_out, ierror
    logical :: flag
    value_out = value_in * extra
    flag = oldcomm /= MPI_COMM_NULL .and. keyval /= MPI_KEYVAL_INVALID
    ierror = MPI_SUCCESS
  end subroutine
  subroutine delete_integer(comm, keyval, value, extra, ierror)
    integer :: comm, keyval, value, extra, ierror
    if (extra == 5 .and. value > 0 .and. keyval /= MPI_KEYVAL_INVALID) deletes = deletes + 1
    ierror = MPI_SUCCESS
    ignored = comm
  end subroutine
  subroutine copy_type(oldtype, keyval, extra, value_in, value_out, flag, ierror)
    integer :: oldtype, keyval, ierror, bytes
    integer(kind=MPI_ADDRESS_KIND) :: extra, value_in, value_out
    logical :: flag
    call MPI_Type_size(oldtype, bytes, ierror)
    value_out = value_in + extra + bytes
    flag = keyval /= MPI_KEYVAL_INVALID
  end subroutine
  subroutine note_error(comm, code)
    integer :: comm, code
    errors = errors + 1
    last_comm = comm
    last_error = code
  end subroutine
  subroutine add_by_size(in, inout, length, datatype)
    integer :: length, datatype, bytes, ierror
    integer(kind=8) :: in(*), inout(*)
    call MPI_Type_size(datatype, bytes, ierror)
    inout(1:length) = inout(1:length) + in(1:length) + bytes
  end subroutine
end module

program fortran_callbacks
  use callbacks
  use testcase
  implicit none
  integer :: rank, size, ierror, keyval, old_keyval, type_keyval, handler, got_handler, work, again, op, pair, twin, code
  integer :: value, sized
  integer(kind=MPI_ADDRESS_KIND) :: address
  integer(kind=8) :: mine, total
  logical :: found

  call MPI_Init(ierror)
  call begin('fortran_callbacks')
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierror)
  call MPI_Comm_size(MPI_COMM_WORLD, size, ierror)
  call MPI_Comm_create_keyval(copy_address, delete_address, keyval, int(3, MPI_ADDRESS_KIND), ierror)
  call MPI_Keyval_create(copy_integer, delete_integer, old_keyval, 5, ierror)
  call MPI_Type_create_keyval(copy_type, MPI_TYPE_NULL_DELETE_FN, type_keyval, int(100, MPI_ADDRESS_KIND), ierror)
  call MPI_Comm_create_errhandler(note_error, handler, ierror)
  call MPI_Op_create(add_by_size, .true., op, ierror)
  call MPI_Comm_dup(MPI_COMM_WORLD, work, ierror)
  call MPI_Comm_set_attr(work, keyval, int(1000000000, MPI_ADDRESS_KIND) * 100 + rank, ierror)
  call MPI_Attr_put(work, old_keyval, 7 + rank, ierror)
  call MPI_Comm_set_errhandler(work, handler, ierror)
  call MPI_Type_contiguous(2, MPI_INTEGER, pair, ierror)
  call MPI_Type_commit(pair, ierror)
  call MPI_Type_set_attr(pair, type_keyval, int(11, MPI_ADDRESS_KIND), ierror)
  call ready()
  call wait_for_go()

  call MPI_Comm_get_attr(work, keyval, address, found, ierror)
  call check(found .and. address == int(1000000000, MPI_ADDRESS_KIND) * 100 + rank, 'an attribute has changed')
  call MPI_Comm_get_attr(work, old_keyval, address, found, ierror)
  call check(found .and. address == 7 + rank, 'an attribute of the old kind reads wrong as the new kind')
  call MPI_Comm_dup(work, again, ierror)
  call check(copies == 1 .and. last_comm == work, 'the copy function was not called, or for another communicator')
  call MPI_Comm_get_attr(again, keyval, address, found, ierror)
  call check(found .and. address == int(1000000000, MPI_ADDRESS_KIND) * 100 + rank + 3, 'a copied attribute is wrong')
  call MPI_Attr_get(again, old_keyval, value, found, ierror)
  call check(found .and. value == 5 * (7 + rank), 'a copied attribute of the old kind is wrong')
  call MPI_Comm_delete_attr(again, keyval, ierror)
  call MPI_Comm_get_attr(again, keyval, address, found, ierror)
  call check(.not. found .and. deletes == 1, 'an attribute was not deleted')
  call MPI_Comm_free(again, ierror)
  call check(deletes == 2, 'freeing a communicator did not delete its attribute')

  call MPI_Type_dup(pair, twin, ierror)
  call MPI_Type_get_attr(twin, type_keyval, address, found, ierror)
  call check(found .and. address == 119, 'the copied attribute of a datatype is wrong')
  call MPI_Type_free(twin, ierror)

  call MPI_Comm_get_errhandler(work, got_handler, ierror)
  call check(got_handler == handler, 'the error handler of the communicator is another')
  call MPI_Errhandler_free(got_handler, ierror)
  call MPI_Send(rank, 1, MPI_INTEGER, size + 5, 0, work, code)
  call check(errors == 1 .and. last_comm == work, 'the error handler was not called, or for another communicator')
  call check(last_error == code .and. code /= MPI_SUCCESS, 'the error handler got another code than the caller')
  call MPI_Comm_call_errhandler(work, MPI_ERR_TAG, ierror)
  call check(errors == 2 .and. last_error == MPI_ERR_TAG, 'MPI_Comm_call_errhandler did not reach the handler')

  mine = rank
  call MPI_Allreduce(mine, total, 1, MPI_INTEGER8, op, work, ierror)
  call check(total == size * (size - 1) / 2 + 8 * (size - 1), 'the user operation gave a wrong result')

  call MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, address, found, ierror)
  call check(found .and. address >= 32767, 'MPI_TAG_UB is wrong')
  call MPI_Attr_get(MPI_COMM_WORLD, MPI_TAG_UB, value, found, ierror)
  call check(found .and. value == address, 'MPI_TAG_UB differs between the bindings')
  call MPI_Type_match_size(MPI_TYPECLASS_REAL, 8, sized, ierror)
  call MPI_Type_size(sized, value, ierror)
  call check(value == 8, 'MPI_Type_match_size found a wrong type')
  call MPI_Type_match_size(MPI_TYPECLASS_INTEGER, 4, sized, ierror)
  call check(sized == MPI_INTEGER, 'MPI_Type_match_size found no Fortran type')

  call MPI_Op_free(op, ierror)
  call MPI_Type_free(pair, ierror)
  call MPI_Errhandler_free(handler, ierror)
  call MPI_Comm_free(work, ierror)
  call check(deletes == 4, 'freeing the communicator did not delete its attributes')
  call MPI_Comm_free_keyval(keyval, ierror)
  call MPI_Keyval_free(old_keyval, ierror)
  call MPI_Type_free_keyval(type_keyval, ierror)
  call check(keyval == MPI_KEYVAL_INVALID, 'freeing a keyval did not say so')
  call MPI_Finalize(ierror)
  call pass()
end program
