! Fortran face of testcase.h.
module testcase
  use, intrinsic :: iso_c_binding
  implicit none

  interface
    subroutine c_begin(name) bind(c, name='begin')
      import :: c_char
      character(kind=c_char), intent(in) :: name(*)
    end subroutine
    subroutine ready() bind(c, name='ready')
    end subroutine
    function c_still_waiting() bind(c, name='still_waiting')
      import :: c_bool
      logical(c_bool) :: c_still_waiting
    end function
    subroutine wait_for_go() bind(c, name='wait_for_go')
    end subroutine
    function c_pass() bind(c, name='pass')
      import :: c_int
      integer(c_int) :: c_pass
    end function
    subroutine c_fail(text) bind(c, name='fail_with')
      import :: c_char
      character(kind=c_char), intent(in) :: text(*)
    end subroutine
  end interface

contains

  subroutine begin(name)
    character(*), intent(in) :: name
    call c_begin(name // c_null_char)
  end subroutine

  logical function still_waiting()
    still_waiting = logical(c_still_waiting())
  end function

  subroutine pass()
    integer(c_int) :: ignored
    ignored = c_pass()
  end subroutine

  subroutine check(condition, text)
    logical, intent(in) :: condition
    character(*), intent(in) :: text
    if (.not. condition) call c_fail(text // c_null_char)
  end subroutine
end module
