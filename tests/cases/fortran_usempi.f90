! Fortran with `use mpi`: communicator, derived type, user operation, pending receive, collectives, MPI_IN_PLACE.
module operation_usempi
contains
  subroutine larger(in, inout, length, datatype)
    use mpi
    implicit none
    integer :: length, datatype
    integer :: in(length), inout(length)
    if (datatype /= MPI_INTEGER) error stop 'the user operation was given another type'
    inout = max(in, inout)
  end subroutine
end module

program fortran_usempi
  use mpi
  use testcase
  use operation_usempi
  implicit none
  integer :: pair
  integer :: op
  integer :: column
  integer :: request
  integer :: status(MPI_STATUS_SIZE)
  integer :: rank, size, ierror, left, right, i, value, top
  integer :: matrix(10, 8), got(8)
  double precision :: x(100), total(100)

  call MPI_Init(ierror)
  call begin('fortran_usempi')
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierror)
  call MPI_Comm_size(MPI_COMM_WORLD, size, ierror)
  left = mod(rank + size - 1, size)
  right = mod(rank + 1, size)
  call MPI_Comm_split(MPI_COMM_WORLD, mod(rank, 2), rank, pair, ierror)
  call MPI_Op_create(larger, .true., op, ierror)
  call MPI_Type_vector(8, 1, 10, MPI_INTEGER, column, ierror)
  call MPI_Type_commit(column, ierror)
  do i = 1, 8
    matrix(:, i) = 100 * rank + i
  end do
  got = -1
  call MPI_Irecv(got, 8, MPI_INTEGER, left, 5, MPI_COMM_WORLD, request, ierror)
  call ready()
  call wait_for_go()

  call MPI_Send(matrix(3, 1), 1, column, right, 5, MPI_COMM_WORLD, ierror)
  call MPI_Wait(request, status, ierror)
  call check(status(MPI_SOURCE) == left, 'the source of the message is wrong')
  do i = 1, 8
    call check(got(i) == 100 * left + i, 'the message is wrong')
  end do
  value = 10 * rank
  call MPI_Allreduce(value, top, 1, MPI_INTEGER, op, MPI_COMM_WORLD, ierror)
  call check(top == 10 * (size - 1), 'the user operation gave a wrong result')
  x = rank + 0.5d0
  call MPI_Allreduce(MPI_IN_PLACE, x, 100, MPI_DOUBLE_PRECISION, MPI_SUM, MPI_COMM_WORLD, ierror)
  total = size * (size - 1) / 2 + 0.5d0 * size
  call check(all(x == total), 'MPI_IN_PLACE gave a wrong sum')
  value = rank
  call MPI_Bcast(value, 1, MPI_INTEGER, 0, pair, ierror)
  call check(value == mod(rank, 2), 'the broadcast in the split communicator is wrong')
  call MPI_Op_free(op, ierror)
  call MPI_Type_free(column, ierror)
  call MPI_Comm_free(pair, ierror)
  call MPI_Barrier(MPI_COMM_WORLD, ierror)
  call MPI_Finalize(ierror)
  call pass()
end program
