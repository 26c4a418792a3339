! Handles as Fortran integers: requests of every kind through the calls that write arrays of them back, groups, infos,
! messages in hand, arrays of datatypes, names.  Numbers held over the checkpoint mean the same objects afterwards.
program fortran_handles
  use mpi
  use testcase
  implicit none
  integer, parameter :: many = 300
  integer :: rank, size, ierror, left, right, i, index, done, message, group, half, whole, empty, info, row, persistent(2)
  integer :: requests(3), statuses(MPI_STATUS_SIZE, 3), status(MPI_STATUS_SIZE), indices(3), groups(many), translated(1)
  integer :: received(3), out(2), in(2), before(3), length, members
  integer, allocatable :: counts(:), offsets(:), types(:), send(:), receive(:)
  character(len=32) :: text
  logical :: flag

  call MPI_Init(ierror)
  call begin('fortran_handles')
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierror)
  call MPI_Comm_size(MPI_COMM_WORLD, size, ierror)
  left = mod(rank + size - 1, size)
  right = mod(rank + 1, size)
  do i = 1, 3
    call MPI_Irecv(received(i), 1, MPI_INTEGER, left, i, MPI_COMM_WORLD, requests(i), ierror)
  end do
  before = requests
  call MPI_Send_init(out, 2, MPI_INTEGER, right, 10, MPI_COMM_WORLD, persistent(1), ierror)
  call MPI_Recv_init(in, 2, MPI_INTEGER, left, 10, MPI_COMM_WORLD, persistent(2), ierror)
  call MPI_Comm_group(MPI_COMM_WORLD, group, ierror)
  call MPI_Group_incl(group, 1, [rank], half, ierror)
  do i = 1, many
    call MPI_Group_excl(group, 0, [rank], groups(i), ierror)
  end do
  call MPI_Info_create(info, ierror)
  call MPI_Info_set(info, 'colour', 'blue', ierror)
  call MPI_Type_vector(2, 1, 2, MPI_INTEGER, row, ierror)
  call MPI_Type_commit(row, ierror)
  call MPI_Type_set_name(row, 'every other', ierror)
  call ready()
  call wait_for_go()

  call check(all(requests == before), 'a request has changed by itself')
  do i = 3, 1, -1
    call MPI_Send(100 * rank + i, 1, MPI_INTEGER, right, i, MPI_COMM_WORLD, ierror)
  end do
  call MPI_Wait(requests(2), status, ierror)
  call check(requests(2) == MPI_REQUEST_NULL .and. status(MPI_TAG) == 2, 'MPI_Wait')
  call MPI_Waitany(3, requests, index, status, ierror)
  call check(index == 1 .or. index == 3, 'MPI_Waitany gave a wrong index')
  call check(requests(index) == MPI_REQUEST_NULL .and. status(MPI_TAG) == index, 'MPI_Waitany')
  call MPI_Waitsome(3, requests, done, indices, statuses, ierror)
  call check(done == 1 .and. indices(1) == 4 - index .and. all(requests == MPI_REQUEST_NULL), 'MPI_Waitsome')
  call MPI_Testany(0, requests, index, flag, status, ierror)
  call check(flag .and. index == MPI_UNDEFINED .and. status(MPI_SOURCE) == MPI_ANY_SOURCE, 'MPI_Testany of nothing')
  call MPI_Waitany(3, requests, index, status, ierror)
  call check(index == MPI_UNDEFINED, 'MPI_Waitany of null requests')
  do i = 1, 3
    call check(received(i) == 100 * left + i, 'a message is wrong')
  end do

  before(1:2) = persistent
  do i = 1, 3
    out = [rank, i]
    call MPI_Startall(2, persistent, ierror)
    call MPI_Waitall(2, persistent, statuses(:, 1:2), ierror)
    call check(all(persistent == before(1:2)), 'a persistent request has changed')
    call check(all(in == [left, i]) .and. statuses(MPI_SOURCE, 2) == left, 'a persistent request gave a wrong message')
  end do
  call MPI_Testall(2, persistent, flag, MPI_STATUSES_IGNORE, ierror)
  call check(flag .and. all(persistent == before(1:2)), 'MPI_Testall of inactive requests')
  do i = 1, 2
    call MPI_Request_free(persistent(i), ierror)
    call check(persistent(i) == MPI_REQUEST_NULL, 'MPI_Request_free')
  end do

  call MPI_Isend(rank, 1, MPI_INTEGER, right, 20, MPI_COMM_WORLD, requests(1), ierror)
  call MPI_Mprobe(left, 20, MPI_COMM_WORLD, message, status, ierror)
  call MPI_Mrecv(in, 1, MPI_INTEGER, message, status, ierror)
  call check(in(1) == left .and. message == MPI_MESSAGE_NULL, 'MPI_Mrecv')
  flag = .false.
  do while (.not. flag)
    call MPI_Test(requests(1), flag, MPI_STATUS_IGNORE, ierror)
  end do
  call check(requests(1) == MPI_REQUEST_NULL, 'MPI_Test')

  call MPI_Group_size(half, members, ierror)
  call MPI_Group_translate_ranks(half, 1, [0], group, translated, ierror)
  call check(members == 1 .and. translated(1) == rank, 'MPI_Group_incl')
  call MPI_Group_difference(half, group, empty, ierror)
  call check(empty == MPI_GROUP_EMPTY, 'MPI_Group_difference is not MPI_GROUP_EMPTY')
  do i = 1, many
    call MPI_Group_union(groups(i), half, whole, ierror)
    call MPI_Group_compare(whole, group, index, ierror)
    call check(index == MPI_IDENT, 'MPI_Group_union')
    call MPI_Group_free(whole, ierror)
    call MPI_Group_free(groups(i), ierror)
    call check(whole == MPI_GROUP_NULL .and. groups(i) == MPI_GROUP_NULL, 'MPI_Group_free')
  end do

  call MPI_Info_get(info, 'colour', 32, text, flag, ierror)
  call check(flag .and. text == 'blue', 'MPI_Info_get')
  call MPI_Info_free(info, ierror)
  call MPI_Type_get_name(row, text, length, ierror)
  call check(text == 'every other', 'MPI_Type_get_name')

  allocate (counts(size), offsets(size), types(size), send(3 * size), receive(3 * size))
  counts = 1
  offsets = [(12 * i, i = 0, size - 1)]
  types = row
  send = [(1000 * rank + i, i = 1, 3 * size)]
  receive = -1
  call MPI_Alltoallw(send, counts, offsets, types, receive, counts, offsets, types, MPI_COMM_WORLD, ierror)
  do i = 0, size - 1
    call check(all(receive(3 * i + 1:3 * i + 3) == [1000 * i + 3 * rank + 1, -1, 1000 * i + 3 * rank + 3]), 'MPI_Alltoallw')
  end do
  call MPI_Group_free(half, ierror)
  call MPI_Group_free(group, ierror)
  call MPI_Type_free(row, ierror)
  call check(row == MPI_DATATYPE_NULL, 'MPI_Type_free')
  call MPI_Finalize(ierror)
  call pass()
end program
