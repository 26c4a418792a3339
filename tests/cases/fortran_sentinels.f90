! MPI-3.1, 2.5.4 and 17.2.5, by the module mpi: the places that Fortran has for MPI_BOTTOM, MPI_IN_PLACE,
! MPI_STATUS_IGNORE, MPI_STATUSES_IGNORE, MPI_UNWEIGHTED, MPI_WEIGHTS_EMPTY, before and after a restart.
program fortran_sentinels
  use mpi
  use testcase
  implicit none
  integer :: rank, size, ierror, weighted_comm, plain_comm, lonely_comm, place_type, turn

  call MPI_Init(ierror)
  call begin('fortran_sentinels')
  call MPI_Comm_rank(MPI_COMM_WORLD, rank, ierror)
  call MPI_Comm_size(MPI_COMM_WORLD, size, ierror)
  call MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 1, [modulo(rank - 1, size)], [3], 1, [modulo(rank + 1, size)], [4], &
                                      MPI_INFO_NULL, .false., weighted_comm, ierror)
  call MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 1, [modulo(rank - 1, size)], MPI_UNWEIGHTED, 1, &
                                      [modulo(rank + 1, size)], MPI_UNWEIGHTED, MPI_INFO_NULL, .false., plain_comm, ierror)
  call MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, 0, [integer ::], MPI_WEIGHTS_EMPTY, 0, [integer ::], MPI_WEIGHTS_EMPTY, &
                                      MPI_INFO_NULL, .false., lonely_comm, ierror)
  do turn = 1, 2
    call neighbours(weighted_comm, 1, .true.)
    call neighbours(plain_comm, 1, .false.)
    call neighbours(lonely_comm, 0, .true.)
    call from_the_bottom()
    call in_place()
    call ignored_statuses()
    if (turn == 1) call ready()
    if (turn == 1) call wait_for_go()
  end do
  call MPI_Comm_free(weighted_comm, ierror)
  call MPI_Comm_free(plain_comm, ierror)
  call MPI_Comm_free(lonely_comm, ierror)
  call MPI_Finalize(ierror)
  call pass()

contains

  subroutine neighbours(comm, wanted, wants_weights)
    integer, intent(in) :: comm, wanted
    logical, intent(in) :: wants_weights
    integer :: ins, outs, from(1), to(1), in_weights(1), out_weights(1)
    logical :: weighted
    call MPI_Dist_graph_neighbors_count(comm, ins, outs, weighted, ierror)
    call check(ins == wanted .and. outs == wanted, 'a graph has another number of neighbours')
    call check(weighted .eqv. wants_weights, 'a graph is weighted that was not, or the reverse')
    if (wanted == 0) return
    call MPI_Dist_graph_neighbors(comm, 1, from, in_weights, 1, to, out_weights, ierror)
    call check(from(1) == modulo(rank - 1, size) .and. to(1) == modulo(rank + 1, size), 'a graph has other neighbours')
    if (weighted) call check(in_weights(1) == 3 .and. out_weights(1) == 4, 'a graph has other weights')
  end subroutine

  subroutine from_the_bottom()
    integer, target, save :: sent(2), got(2)
    integer(kind=MPI_ADDRESS_KIND) :: address
    integer :: got_type
    sent = [rank, 5]
    got = -1
    call MPI_Get_address(sent, address, ierror)
    call MPI_Type_create_struct(1, [2], [address], [MPI_INTEGER], place_type, ierror)
    call MPI_Type_commit(place_type, ierror)
    call MPI_Get_address(got, address, ierror)
    call MPI_Type_create_struct(1, [2], [address], [MPI_INTEGER], got_type, ierror)
    call MPI_Type_commit(got_type, ierror)
    call MPI_Sendrecv(MPI_BOTTOM, 1, place_type, modulo(rank + 1, size), 1, MPI_BOTTOM, 1, got_type, modulo(rank - 1, size), 1, &
                      MPI_COMM_WORLD, MPI_STATUS_IGNORE, ierror)
    call see(got)
    call check(got(1) == modulo(rank - 1, size) .and. got(2) == 5, 'a message from the bottom of memory is wrong')
    call MPI_Bcast(MPI_BOTTOM, 1, place_type, 0, MPI_COMM_WORLD, ierror)
    call see(sent)
    call check(sent(1) == 0, 'a broadcast to the bottom of memory is wrong')
    call MPI_Type_free(place_type, ierror)
    call MPI_Type_free(got_type, ierror)
  end subroutine

  ! The compiler does not know that MPI has written there.
  subroutine see(values)
    integer, intent(inout), volatile :: values(:)
    values(1) = values(1)
  end subroutine

  subroutine in_place()
    integer :: values(64), request
    values = rank + 1
    call MPI_Allreduce(MPI_IN_PLACE, values, 3, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD, ierror)
    call check(all(values(1:3) == size * (size + 1) / 2), 'a sum in place is wrong')
    values(rank + 1) = 10 * rank
    call MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, values, 1, MPI_INTEGER, MPI_COMM_WORLD, ierror)
    call check(values(size) == 10 * (size - 1), 'a gather in place is wrong')
    values(1) = rank
    call MPI_Iallreduce(MPI_IN_PLACE, values, 1, MPI_INTEGER, MPI_MAX, MPI_COMM_WORLD, request, ierror)
    call MPI_Wait(request, MPI_STATUS_IGNORE, ierror)
    call check(values(1) == size - 1, 'a maximum in place is wrong')
  end subroutine

  subroutine ignored_statuses()
    integer :: values(2), requests(2), status(MPI_STATUS_SIZE), flag_index
    logical :: done
    call MPI_Irecv(values(1), 1, MPI_INTEGER, modulo(rank - 1, size), 7, MPI_COMM_WORLD, requests(1), ierror)
    call MPI_Isend(rank, 1, MPI_INTEGER, modulo(rank + 1, size), 7, MPI_COMM_WORLD, requests(2), ierror)
    call MPI_Waitall(2, requests, MPI_STATUSES_IGNORE, ierror)
    call check(ierror == MPI_SUCCESS .and. all(requests == MPI_REQUEST_NULL), 'waiting without statuses failed')
    call check(values(1) == modulo(rank - 1, size), 'a message is wrong')
    call MPI_Testany(2, requests, flag_index, done, MPI_STATUS_IGNORE, ierror)
    call check(done .and. flag_index == MPI_UNDEFINED, 'a test of null requests found one')
    call MPI_Irecv(values(1), 1, MPI_INTEGER, MPI_ANY_SOURCE, 8, MPI_COMM_WORLD, requests(1), ierror)
    call MPI_Send(rank, 1, MPI_INTEGER, modulo(rank + 1, size), 8, MPI_COMM_WORLD, ierror)
    call MPI_Wait(requests(1), status, ierror)
    call check(status(MPI_SOURCE) == modulo(rank - 1, size) .and. status(MPI_TAG) == 8, 'a status is wrong')
  end subroutine
end program
