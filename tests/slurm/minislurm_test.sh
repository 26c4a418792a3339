#!/bin/bash
# scripts/minislurm: two clusters side by side, MPI over both nodes as a user, preemption with requeue,
# a node crash and its repair, recovery from crashed daemons, and that `down` leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/../.."
mini=$PWD/scripts/minislurm
work=$(mktemp -d /var/tmp/msXXXXXX)
chmod 755 "$work"
a=$work/a b=$work/b
# Jobs write here: a directory of the user who runs them.
trap 'status=$?; for d in "$a" "$b"; do "$mini" down --dir "$d" || true; done; [ $status = 0 ] && rm -rf "$work" || echo "FAILED; files in $work"' EXIT

say() { echo "== $(date +%T) $*"; }
fail() { echo "minislurm_test: $*" >&2; exit 1; }
as() { local dir=$1; shift; timeout 90 "$mini" run --dir "$dir" -- "$@"; }
json() { python3 -c 'import json,sys; v=json.load(sys.stdin)
for k in sys.argv[1].split("."): v=v[int(k)] if k.isdigit() else v[k]
print(v)' "$1"; }
# await SECONDS DESCRIPTION COMMAND...: polls until the command succeeds.
await() {
  local end=$((SECONDS + $1)) what=$2; shift 2
  until "$@"; do [ $SECONDS -lt $end ] || fail "waited in vain for: $what"; sleep 0.2; done
}
state_is() { as "$1" squeue -h -j "$2" -t all -o %T | grep -qx "$3"; }
restarts_are() { as "$1" scontrol show job "$2" | grep -q "Restarts=$3 "; }
# What a cluster with this tag owns: processes in its network namespaces, namespaces, interfaces.
namespaces_of() { ip netns list | awk '{print $1}' | grep "^$1" || true; }
processes_of() { for n in $(namespaces_of "$1"); do ip netns pids "$n"; done; }

say "two clusters side by side"
"$mini" up --dir "$a" --grace 8 --kill-wait 5
"$mini" up --dir "$b" --nodes 3 --cpus 2
tag_a=$("$mini" status --dir "$a" --json | json tag)
tag_b=$("$mini" status --dir "$b" --json | json tag)
[ "$tag_a" != "$tag_b" ] || fail "both clusters have the tag $tag_a"
[ "$(as "$b" sinfo -h -o %D -p low)" = 3 ] || fail "cluster b does not show 3 nodes"
[ "$(as "$b" sinfo -h -o %c -p low)" = 2 ] || fail "cluster b does not show 2 CPUs a node"
before=$("$mini" status --dir "$a" --json | json daemons.slurmctld)
"$mini" up --dir "$a"
[ "$("$mini" status --dir "$a" --json | json daemons.slurmctld)" = "$before" ] || fail "a second up restarted slurmctld"

say "an MPI program over both nodes of each, at the same time, as a user"
cat >"$work/ring.py" <<'P'
from mpi4py import MPI
import os
c = MPI.COMM_WORLD
got = c.sendrecv(c.rank, dest=(c.rank + 1) % c.size, source=(c.rank - 1) % c.size)
assert got == (c.rank - 1) % c.size
names = c.gather(MPI.Get_processor_name())
if c.rank == 0:
    print(c.size, len(set(names)), os.getuid() != 0, c.allreduce(1) if c.size == 1 else "", flush=True)
P
as "$a" srun -N2 -n4 --ntasks-per-node=2 /usr/bin/python3 "$work/ring.py" >"$work/ring.a" 2>&1 & pid=$!
as "$b" srun -N2 -n4 --ntasks-per-node=2 /usr/bin/python3 "$work/ring.py" >"$work/ring.b" 2>&1 || fail "MPI in b: $(cat "$work/ring.b")"
wait $pid || fail "MPI in a: $(cat "$work/ring.a")"
for f in ring.a ring.b; do grep -q '^4 2 True' "$work/$f" || fail "$f: $(cat "$work/$f")"; done

say "preemption requeues a job of low, and it runs again"
cat >"$work/job.sh" <<'J'
#!/bin/bash
#SBATCH -p low -N2 --ntasks-per-node=2 --exclusive --open-mode=append -o job.out
echo "run ${SLURM_RESTART_COUNT:-0}"
[ "${SLURM_RESTART_COUNT:-0}" -ge 1 ] || srun bash -c 'trap "" TERM; sleep 300'  # tasks that end in the grace time end the job
J
home=$(as "$a" bash -c 'cd; pwd')
job=$(as "$a" sbatch --parsable -D "$home" "$work/job.sh")
await 20 "job $job runs its step" eval 'as "$a" squeue -h -s -j $job | grep -q "$job.0"'
as "$a" srun -p high -N2 --exclusive true || fail "the job in high did not run"
await 60 "job $job is over" state_is "$a" "$job" COMPLETED
[ "$(grep "^run" "$home/job.out")" = "$(printf 'run 0\nrun 1')" ] || fail "the preempted job wrote: $(cat "$home/job.out")"

say "a crash of a node ends all that ran there; up repairs it; the job runs again"
rm "$home/job.out"
job=$(as "$a" sbatch --parsable -D "$home" "$work/job.sh")
await 20 "job $job runs its step" eval '[ "$(pgrep -cf "^sleep 300")" -ge 4 ]'
"$mini" node kill --dir "$a" 2
[ -z "$(ip netns pids "${tag_a}n2")" ] || fail "processes survived on the killed node"
[ -n "$(ip netns pids "${tag_a}n1")" ] || fail "the other node died as well"
! "$mini" status --dir "$a" >/dev/null || fail "status does not see that a node is down"
SLURM_CONF=$a/etc/slurm.conf scontrol update nodename="${tag_a}n2" state=down reason=crash
await 30 "job $job is requeued" restarts_are "$a" "$job" 1
"$mini" up --dir "$a"
await 60 "job $job is over" state_is "$a" "$job" COMPLETED
[ "$(grep "^run" "$home/job.out")" = "$(printf 'run 0\nrun 1')" ] || fail "the job of the crashed node wrote: $(cat "$home/job.out")"
"$mini" node kill --dir "$a" "${tag_a}n1"
"$mini" node start --dir "$a" "${tag_a}n1"
await 30 "the node is ready again" eval '"$mini" status --dir "$a" >/dev/null'

say "up recovers from a crash of everything"
for name in munged slurmctld; do kill -9 "$("$mini" status --dir "$a" --json | json daemons.$name)"; done
"$mini" node kill --dir "$a" 1
ip netns del "${tag_a}n1"
echo $$ >"$a/run/slurmctld.pid"   # a stale pid file that names a living, foreign process
"$mini" up --dir "$a"
as "$a" scancel -u minislurm   # a slurmctld killed before it saved its state believes that ended jobs still run
as "$a" srun -N2 true || fail "the repaired cluster runs nothing"

say "down leaves nothing behind"
"$mini" down --dir "$a" --clean
[ ! -e "$a" ] || fail "$a is still there"
[ -z "$(namespaces_of "$tag_a")" ] || fail "network namespaces are left: $(namespaces_of "$tag_a")"
! ip -br link | grep "^$tag_a" || fail "interfaces are left"
as "$b" srun -N3 true || fail "the end of a disturbed b: it runs nothing"
others=$(processes_of "$tag_b"; for n in munged slurmctld; do "$mini" status --dir "$b" --json | json daemons.$n; done)
rm -rf "$b"   # a directory removed under a running cluster
"$mini" down --dir "$b"
for pid in $others; do await 5 "process $pid of cluster b is reaped" test ! -e "/proc/$pid"; done
[ -z "$(namespaces_of "$tag_b")" ] || fail "network namespaces of b are left"
! ip -br link | grep "^$tag_b" || fail "interfaces of b are left"
"$mini" down --dir "$b" || fail "a second down fails"

say "what cannot be is said in one sentence"
out=$("$mini" run --dir "$work/none" -- true 2>&1) && fail "run without a cluster succeeded"
grep -q "there is no cluster in" <<<"$out" || fail "no cluster: $out"
out=$("$mini" up --dir "$work/$(printf 'x%.0s' {1..80})" 2>&1) && fail "a directory with a long name was accepted"
grep -q "longer than" <<<"$out" || fail "long directory: $out"
out=$("$mini" up --dir "$a" --plugstack "$work/none" 2>&1) && fail "a missing plugstack was accepted"
grep -q "No such file" <<<"$out" || fail "missing plugstack: $out"
echo "minislurm_test: passed"
