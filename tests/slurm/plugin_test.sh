#!/bin/bash
# spank_checkpoint.so in a private Slurm: options of srun, sbatch and salloc, what reaches the tasks and what the batch
# script, mistakes told before anything starts, the decision at a requeue, and the stale PMIx socket.  The interceptor
# is an empty library here and `sckpt restart-point` is answered by this script: only the plugin is under test.
set -euo pipefail
cd "$(dirname "$0")/../.."
mini=$PWD/scripts/minislurm
work=$(mktemp -d "${TMPDIR:-/var/tmp}/spankXXXXXX")
chmod 755 "$work"
d=$work/slurm lib=$work/lib user=$work/user
trap 'status=$?; "$mini" down --dir "$d" || true; [ $status = 0 ] && rm -rf "$work" || echo "FAILED; files in $work"' EXIT

checks=0
say() { echo "== $(date +%T) $*"; }
fail() { echo "plugin_test: $*" >&2; [ ! -e "$work/last" ] || sed 's/^/    | /' "$work/last" >&2; exit 1; }
# A command as the user: its output and status are kept for the expectations that follow.
as() { status=0; (cd "$user"; timeout 60 "$mini" run --dir "$d" -- "$@") >"$work/last" 2>&1 || status=$?; }
ok() { checks=$((checks + 1)); [ "$status" = 0 ] || fail "$1: status $status"; }
bad() { checks=$((checks + 1)); [ "$status" != 0 ] || fail "$1: status 0"; }
has() { checks=$((checks + 1)); grep -qE -- "$1" "$work/last" || fail "output lacks: $1"; }
lacks() { checks=$((checks + 1)); ! grep -qE -- "$1" "$work/last" || fail "output has: $1"; }
count() { checks=$((checks + 1)); local n; n=$(grep -cE -- "$2" "$work/last" || true); [ "$n" = "$1" ] || fail "$n lines instead of $1 with: $2"; }
await() { local end=$((SECONDS + $1)) what=$2; shift 2; until "$@"; do [ $SECONDS -lt $end ] || fail "waited in vain for: $what"; sleep 0.2; done; }
slurm() { "$mini" run --dir "$d" -- "$@"; }
finished() { ! slurm squeue -h -t all -o '%A %T' | grep -E "^$1 (PENDING|CONFIGURING|RUNNING|COMPLETING|SUSPENDED)" >/dev/null; }
batch() { as sbatch --parsable "$@"; ok "sbatch $*"; job=$(grep -E '^[0-9]+$' "$work/last"); }
ended() { await 60 "the end of job $job" finished "$job"; cp "$user/$1" "$work/last"; }
answer() { rm -f "$work"/answer.*; printf '%s\n' "$2" >"$work/answer.$1"; }
plugstack() { echo "$1 $lib/spank_checkpoint.so libdir=$lib" >"$d/etc/plugstack.conf"; }

mkdir -p "$lib" "$d" "$work/called"; chmod 777 "$work/called"
cp build/lib/spank_checkpoint.so "$lib/"
g++ -shared -fPIC -x c++ /dev/null -o "$lib/libsckpt.so"
g++ -shared -fPIC -x c++ /dev/null -o "$lib/libmine.so"
echo 'int main() {}' >"$work/empty.cc"
g++ -static -o "$lib/static" "$work/empty.cc"
g++ -static-pie -o "$lib/static-pie" "$work/empty.cc"
cp /usr/bin/env "$lib/setuid"; chmod 4755 "$lib/setuid"
# restart-point: records its arguments, answers as told.
cat >"$lib/sckpt" <<EOF
#!/bin/bash
echo "\$@" >>$work/called/arguments
if [ -e $work/answer.path ]; then cat $work/answer.path; exit 0; fi
if [ -e $work/answer.none ]; then exit 0; fi
if [ -e $work/answer.kill ]; then kill -9 \$\$; fi
cat $work/answer.unusable >&2; exit 1
EOF
chmod 755 "$lib/sckpt"
printf 'required %s/spank_checkpoint.so libdir=%s\n' "$lib" "$lib" >"$work/plugstack.conf"
say "cluster"
"$mini" up --dir "$d" --plugstack "$work/plugstack.conf" --grace 4 --kill-wait 3
nodes=$(slurm sinfo -h -N -p low -o %N | tr '\n' ' ')
mkdir "$user"; chown "$(slurm id -u):$(slurm id -g)" "$user"
show='env | grep -E "^(SCKPT_|SLURM_SCKPT|LD_PRELOAD)" | sort'

say "srun: what a task is given"
as srun -N2 -n2 --checkpoint=10,keep=3 bash -c "$show"; ok srun
count 2 "^SCKPT_DIR=$user/[A-Za-z0-9]+\.[0-9]+\.0\$"
count 2 '^SCKPT_SPEC=interval=600s,on=preempt\+timelimit,keep=3,sync=no,requeue=auto,fallback=refuse,files=name,changed=refuse,libraries=name,children=decline$'
count 2 '^SCKPT_INCARNATION=0$'
count 2 '^SCKPT_CONTRACT=[0-9]+$'
count 2 "^SCKPT_LIBDIR=$lib\$"
count 2 '^SCKPT_STEP=[0-9]+\.0$'
count 2 "^LD_PRELOAD=$lib/libsckpt.so\$"
lacks 'SLURM_SCKPT|SCKPT_RESTART'
dir=$(sed -n 's/^SCKPT_DIR=//p' "$work/last" | head -1)
[ "$(stat -c '%a %U' "$dir" "$dir/r0" | sort -u)" = "700 $(slurm id -un)" ] || fail "$dir and r0 are not mode 0700 of the user"
as env LD_PRELOAD="$lib/libmine.so:$lib/libsckpt.so" srun --checkpoint on /bin/bash -c "$show"; ok "srun with LD_PRELOAD"
has "^LD_PRELOAD=$lib/libmine.so:$lib/libsckpt.so\$"
as srun --export=NONE --checkpoint=on /bin/bash -c "/usr/bin/$show"; ok "srun --export=NONE"
has '^SCKPT_SPEC=on='; has '^LD_PRELOAD='
as srun bash -c "$show; true"; ok "srun without --checkpoint"; lacks 'SCKPT_|LD_PRELOAD'
as srun --checkpoint=off bash -c "$show; true"; ok "srun --checkpoint=off"; lacks 'SCKPT_|LD_PRELOAD'
mkdir -p "$user/there"; chown "$(slurm id -u)" "$user/there"
as srun --checkpoint=on --checkpoint-dir=there bash -c "$show"; ok "--checkpoint-dir"; has "^SCKPT_DIR=$user/there/"
as env SLURM_CHECKPOINT=1-0 SLURM_CHECKPOINT_DIR="$user/there" srun bash -c "$show"; ok "defaults from the environment"
has '^SCKPT_SPEC=interval=86400s,'; has "^SCKPT_DIR=$user/there/"
as env SLURM_CHECKPOINT=1-0 srun --checkpoint=5 bash -c "$show"; ok "option before environment"; has '^SCKPT_SPEC=interval=300s,'

say "a step started inside a rank does not take the rank's settings"
as srun --checkpoint=on bash -c "srun --overlap --checkpoint=off bash -c '$show; echo inner'"; ok "nested srun"
has '^inner$'; lacks 'SCKPT_|LD_PRELOAD'

say "sbatch and salloc: the batch script is left alone, its steps are not"
cat >"$user/two.sh" <<EOF
#!/bin/bash
#SBATCH --open-mode=append
echo "script:"; $show
echo "first:"; srun -n1 bash -c '$show'
echo "second:"; srun -n1 --checkpoint=7 bash -c '$show'
echo "third:"; srun -n1 --checkpoint=off bash -c '$show; true'
EOF
batch --checkpoint=30:00 -o two.out two.sh; lacks warning; ended two.out
[ "$(grep -nE 'first:' "$work/last" | cut -d: -f1)" = 2 ] || fail "the batch script itself was given something"
[ "$(grep -c '^SCKPT_SPEC=interval=1800s' "$work/last"),$(grep -c '^SCKPT_SPEC=interval=420s' "$work/last")" = 1,1 ] || fail "steps of a batch job"
[ "$(sed -n '/^third:/,$p' "$work/last" | wc -l)" = 1 ] || fail "--checkpoint=off inside a batch job"
as env SBATCH_CHECKPOINT=40 SBATCH_CHECKPOINT_DIR="$user/there" sbatch --parsable -o env.out two.sh; ok "sbatch by environment"
job=$(grep -E '^[0-9]+$' "$work/last"); ended env.out
has '^SCKPT_SPEC=interval=2400s'; has "^SCKPT_DIR=$user/there/"
as salloc --checkpoint=20 srun bash -c "$show"; ok salloc; has '^SCKPT_SPEC=interval=1200s'

say "sbatch warns of an output file that a requeue truncates"
cat >"$user/plain.sh" <<EOF
#!/bin/bash
true
EOF
as sbatch -o plain.out --checkpoint=on plain.sh; ok sbatch; has 'sbatch: warning: sckpt: .*--open-mode=append'
as sbatch -o plain.out --checkpoint=on --open-mode=truncate plain.sh; ok sbatch; has 'warning'
as env SLURM_OPEN_MODE=a sbatch -o plain.out --checkpoint=on plain.sh; ok sbatch; has 'warning'
as env SBATCH_OPEN_MODE=append sbatch -o plain.out --checkpoint=on plain.sh; ok sbatch; lacks 'warning'
as sbatch -o plain.out --checkpoint=on --open-mode=append plain.sh; ok sbatch; lacks 'warning'
as sbatch -o plain.out plain.sh; ok sbatch; lacks 'warning'

say "mistakes are told before anything starts"
submitted() { slurm scontrol show job -o | sed -n 's/^JobId=\([0-9]*\).*/\1/p' | sort -n | tail -1; }
before=$(submitted)
for program in "srun hostname" "sbatch plain.sh" "salloc true"; do
  set -- $program
  as "$1" --checkpoint=often "$2"; bad "$1 with a bad SPEC"; has "sckpt: checkpoint SPEC: 'often' is not understood"
  as "$1" --checkpoint=on --checkpoint-dir=/nowhere "$2"; bad "$1, no directory"; has 'sckpt: checkpoint directory /nowhere: No such file'
  as "$1" --checkpoint=on --checkpoint-dir=/etc "$2"; bad "$1, not writable"; has 'sckpt: checkpoint directory /etc is not writable'
  as "$1" --restart-dir=/nowhere "$2"; bad "$1, no restart directory"; has 'sckpt: --restart-dir /nowhere'
  as "$1" --checkpoint=off --restart-dir="$user" "$2"; bad "$1, off and restart"; has 'needs checkpoints'
  as "$1" --checkpoint="$(printf 'x%.0s' {1..5000})" "$2"; bad "$1, long SPEC"; has 'SPEC'
  as "$1" --checkpoint=$'on\001' "$2"; bad "$1, control character"; has 'control character'
done
as env SLURM_CHECKPOINT=often srun hostname; bad "bad SPEC in the environment"; has "'often'"
mv "$lib/libsckpt.so" "$lib/hidden"
as srun --checkpoint=on hostname; bad "library missing"; has "sckpt: $lib/libsckpt.so: No such file"
as sbatch --checkpoint=on plain.sh; bad "library missing"; has "sckpt: $lib/libsckpt.so: No such file"
as srun hostname; ok "without checkpoints a missing library hurts nobody"
mv "$lib/hidden" "$lib/libsckpt.so"
[ "$(submitted)" = $((before + 1)) ] || fail "a mistaken command made a job"

say "programs that cannot be intercepted"
for program in static static-pie; do
  as srun -n2 --checkpoint=on "$lib/$program"; ok "$program"; count 1 "^sckpt: $lib/$program is statically linked: it runs without checkpoints"
done
as srun -n2 --checkpoint=on "$lib/setuid" true; ok setuid; count 1 "^sckpt: $lib/setuid has the set-user-ID"
as srun -n1 --checkpoint=on hostname; ok dynamic; lacks 'sckpt:'

say "an earlier job's directory with the same number"
batch --hold --open-mode=append -o same.out --checkpoint=on two.sh
cluster=$(basename "$dir"); cluster=${cluster%%.*}
(cd "$user"; slurm mkdir -p "$cluster.$job.0/r0/0001"; slurm touch "$cluster.$job.0/r0/0001/job.h5")
slurm scontrol release "$job"; ended same.out
has "sckpt: checkpoints of an earlier job with the same number are now in $user/$cluster.$job.0.old.1"
[ -e "$user/$cluster.$job.0.old.1/r0/0001/job.h5" ] && [ ! -e "$user/$cluster.$job.0/r0/0001" ] || fail "the earlier job's directory"

say "the decision at a requeue"
cat >"$user/again.sh" <<EOF
#!/bin/bash
#SBATCH --open-mode=append
#SBATCH -n2
echo "run \${SLURM_RESTART_COUNT:-0}"
srun --checkpoint=on,fallback=\${FALLBACK:-refuse} bash -c '$show; echo started'
echo "srun ended with \$?"
if [ "\${SLURM_RESTART_COUNT:-0}" = 0 ]; then scontrol requeue \$SLURM_JOB_ID; read -t 60 <>\$HOME/never; fi
EOF
slurm bash -c 'mkfifo $HOME/never'
requeue() { : >"$work/called/arguments"; rm -f "$user/again.out"; FALLBACK=$1; batch -o again.out --export=ALL,FALLBACK="$1" again.sh; ended again.out; has '^run 0$'; has '^run 1$'; }
chmod 666 "$work/called/arguments" 2>/dev/null || { touch "$work/called/arguments"; chmod 666 "$work/called/arguments"; }
answer path "$user/gen/r0.closed/0007"; requeue refuse
count 2 "^SCKPT_RESTART=$user/gen/r0.closed/0007\$"; count 2 '^SCKPT_INCARNATION=1$'; count 4 '^started$'; has 'restoring from'
[ "$(cat "$work/called/arguments")" = "restart-point --directory $user/$cluster.$job.0 --incarnation 1 --ranks 2" ] || fail "arguments: $(cat "$work/called/arguments")"
[ -d "$user/$cluster.$job.0/r1" ] || fail "no r1"
answer none ''; requeue refuse
count 4 '^started$'; count 1 '^sckpt: starting from the beginning'; lacks SCKPT_RESTART
answer unusable 'sckpt: error: generation 0007 is truncated'; requeue refuse
count 2 '^started$'; has '^srun ended with 1$'; has 'srun: error: sckpt: this step cannot be restored: generation 0007 is truncated'
requeue fresh
count 4 '^started$'; has '^sckpt: starting from the beginning \(fallback=fresh\): generation 0007 is truncated'; lacks SCKPT_RESTART
answer kill ''; requeue fresh
count 2 '^started$'; has 'ended by signal 9'
plugstack optional; answer unusable 'generation 0007 is truncated'; requeue refuse
count 2 '^started$'; has 'sckpt: this step cannot be restored: generation 0007'
as srun --checkpoint=on bash -c "$show"; ok "optional plugin"; has '^SCKPT_DIR='
plugstack required

say "--restart-dir"
(cd "$user"; slurm mkdir -p old/r0.closed/0003 old/r1/0004 old/r1/0005.partial
 for g in old/r0.closed/0003 old/r1/0004 old/r1/0005.partial; do slurm touch $g/job.h5 $g/rank00000.h5 $g/rank00001.h5; done)
as srun -n2 --restart-dir=old/r0.closed/0003 bash -c "$show"; ok "a generation"; count 2 "^SCKPT_RESTART=$user/old/r0.closed/0003\$"
as srun -n2 --checkpoint=on --restart-dir="$user/old/" bash -c "$show"; ok "a step directory"; count 2 "^SCKPT_RESTART=$user/old/r1/0004\$"
as env SLURM_RESTART_DIR="$user/old" srun -n2 bash -c "$show"; ok "SLURM_RESTART_DIR"; count 2 "^SCKPT_RESTART=$user/old/r1/0004\$"
as srun -n3 --restart-dir=old bash -c 'echo started'; bad "rank count"; has 'holds 2 ranks, this step has 3: start it with -n 2'; lacks started
as srun -n2 --restart-dir=old/r1/0005.partial bash -c 'echo started'; bad "not committed"; has 'never committed'; lacks started
as srun -n2 --restart-dir=there/.. bash -c 'echo started'; bad "no generation"; has 'holds no committed checkpoint'; lacks started

say "a PMIx socket that a crash left"
bind() { python3 -c 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$1"; }
cat >"$user/pmix.sh" <<EOF
#!/bin/bash
srun --mpi=pmix -N2 -n2 hostname
srun --mpi=pmix -N2 -n2 hostname
EOF
batch --hold -N2 -o pmix.out pmix.sh
for node in $nodes; do bind "$d/spool/$node/stepd.slurm.pmix.$job.0"; touch "$d/spool/$node/stepd.slurm.pmix.$job.7"; done
slurm scontrol release "$job"; ended pmix.out
count 4 "^($(echo $nodes | tr ' ' '|'))\$"; lacks 'Address already in use|failed'
for node in $nodes; do [ -e "$d/spool/$node/stepd.slurm.pmix.$job.7" ] || fail "a file of another step was touched"; done
# The same without the plugin fails: otherwise this would test nothing.
: >"$d/etc/plugstack.conf"
batch --hold -N2 -o pmix.out pmix.sh
for node in $nodes; do bind "$d/spool/$node/stepd.slurm.pmix.$job.0"; done
slurm scontrol release "$job"; ended pmix.out; has 'launch failed|Address already in use'
plugstack required

echo "plugin_test: $checks checks passed"
