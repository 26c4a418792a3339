! Callbacks written in Fortran with `use mpi_f08`: attribute copy and delete functions, an error handler, and a generalized
! request, which is finished before the checkpoint.
module callbacks08
  use mpi_f08
  implicit none
  integer :: copies = 0, deletes = 0, errors = 0, last_error = MPI_SUCCESS, frees = 0
  type(MPI_Comm) :: last_comm
contains
  subroutine copy_it(oldcomm, keyval, extra, value_in, value_out, flag, ierror)
    type(MPI_Comm) :: oldcomm
    integer :: keyval, ierror
    integer(kind=MPI_ADDRESS_KIND) :: extra, value_in, value_out
    logical :: flag
    last_comm = oldcomm
    copies = copies + 1
    value_out = value_in + extra
    flag = keyval /= MPI_KEYVAL_INVALID
    ierror = MPI_SUCCESS
  end subroutine
  subroutine delete_it(comm, keyval, value, extra, ierror)
    type(MPI_Comm) :: comm
    integer :: keyval, ierror
    integer(kind=MPI_ADDRESS_KIND) :: value, extra
    if (extra == 4 .and. value > 0 .and. keyval /= MPI_KEYVAL_INVALID) deletes = deletes + 1
    last_comm = comm
    ierror = MPI_SUCCESS
  end subroutine
  subroutine note_error(comm, code)
    type(MPI_Comm) :: comm
    integer :: code
    errors = errors + 1
    last_comm = comm
    last_error = code
  end subroutine
  subroutine query(extra, status, ierror)
    integer(kind=MPI_ADDRESS_KIND) :: extra
    type(MPI_Status) :: status
    integer :: ierror
    call MPI_Status_set_elements(status, MPI_INTEGER, int(extra), ierror)
    call MPI_Status_set_cancelled(status, .false., ierror)
    status%MPI_SOURCE = 17
    status%MPI_TAG = 18
    ierror = MPI_SUCCESS
  end subroutine
  subroutine free_it(extra, ierror)
    integer(kind=MPI_ADDRESS_KIND) :: extra
    integer :: ierror
    frees = frees + int(extra)
    ierror = MPI_SUCCESS
  end subroutine
  subroutine cancel_it(extra, complete, ierror)
    integer(kind=MPI_ADDRESS_KIND) :: extra
    logical :: complete
    integer :: ierror
    if (complete) frees = frees - int(extra)
    ierror = MPI_SUCCESS
  end subroutine
end module

program fortran_callbacks08
  use callbacks08
  use testcase
  implicit none
  integer :: rank, size, ierror, keyval, code, elements
  integer(kind=MPI_ADDRESS_KIND) :: address, extra = 9
  type(MPI_Comm) :: work, again
  type(MPI_Errhandler) :: handler
  type(MPI_Request) :: request
  type(MPI_Status) :: status
  type(MPI_Datatype) :: sized
  logical :: found

  call MPI_Init(ierror)
  call begin('fortran_callbacks08')
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierror)
  call MPI_Comm_size(MPI_COMM_WORLD, size, ierror)
  call MPI_Grequest_start(query, free_it, cancel_it, extra, request, ierror)
  call MPI_Grequest_complete(request, ierror)
  call MPI_Wait(request, status, ierror)
  call MPI_Get_elements(status, MPI_INTEGER, elements, ierror)
  call check(status%MPI_SOURCE == 17 .and. status%MPI_TAG == 18 .and. elements == 9, 'the status of a generalized request')
  call check(frees == 9 .and. request == MPI_REQUEST_NULL, 'a generalized request was not freed')
  call MPI_Comm_create_keyval(copy_it, delete_it, keyval, int(4, MPI_ADDRESS_KIND), ierror)
  call MPI_Comm_create_errhandler(note_error, handler, ierror)
  call MPI_Comm_dup(MPI_COMM_WORLD, work, ierror)
  call MPI_Comm_set_attr(work, keyval, int(50 + rank, MPI_ADDRESS_KIND), ierror)
  call MPI_Comm_set_errhandler(work, handler, ierror)
  call ready()
  call wait_for_go()

  call MPI_Comm_dup(work, again, ierror)
  call check(copies == 1 .and. last_comm == work, 'the copy function was not called, or for another communicator')
  call MPI_Comm_get_attr(again, keyval, address, found, ierror)
  call check(found .and. address == 54 + rank, 'a copied attribute is wrong')
  call MPI_Comm_free(again, ierror)
  call check(deletes == 1, 'freeing a communicator did not delete its attribute')
  call MPI_Send(rank, 1, MPI_INTEGER, size + 5, 0, work, code)
  call check(errors == 1 .and. last_comm == work .and. last_error == code, 'the error handler was not called rightly')
  call MPI_Type_match_size(MPI_TYPECLASS_COMPLEX, 16, sized, ierror)
  call check(sized == MPI_COMPLEX16, 'MPI_Type_match_size')
  call MPI_Errhandler_free(handler, ierror)
  call MPI_Comm_free(work, ierror)
  call MPI_Comm_free_keyval(keyval, ierror)
  call check(keyval == MPI_KEYVAL_INVALID, 'freeing a keyval did not say so')
  call MPI_Finalize(ierror)
  call pass()
end program
