"""The configuration files of a scripts/minislurm cluster.

- cred_expire is also the time a requeued job has to wait; Slurm's default is two minutes.
- TmpFS differs from node to node: two PMIx servers of one step must not share their directory.
- MpiDefault, config_overrides: MPI programs run without further options, on more CPUs than the machine has.
- Naming a cgroup plugin, although none is used, keeps slurmd from looking for a cgroup file system, which
  is absent in some containers, and a hybrid in others, which it refuses.
- With the fences that are Slurm's default, about one of 150 steps over two nodes of this machine dies in MPI_Init, with
  or without sckpt: a rank is sent a message while it still waits for the first fence.  None of 360 did with rings.
"""

import socket

from minislurm_network import node_address, node_name


CGROUP = "CgroupPlugin=cgroup/v1\n"
MPI = "PMIxCollFence=ring\n"


def slurm(directory, place, settings):
    """slurm.conf(5) for a cluster in `directory`, at `place` (minislurm_network), with minislurm's settings."""
    host = socket.gethostname().partition(".")[0]
    nodes = "\n".join(
        f"NodeName={node_name(place, i)} NodeHostname={node_name(place, i)} NodeAddr={node_address(place, i)}"
        f" CPUs={settings['cpus']} RealMemory=4000 State=UNKNOWN"
        for i in range(1, settings["nodes"] + 1)
    )
    return f"""\
ClusterName={place['tag']}
SlurmctldHost={host}({place['net']}.1)
SlurmctldPort={place['port']}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={directory}/run/munge.sock,cred_expire=8
CredType=cred/munge
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool/%n
TmpFS={directory}/tmp/%n
SlurmctldPidFile={directory}/run/slurmctld.pid
SlurmdPidFile={directory}/run/slurmd-%n.pid
SlurmctldLogFile={directory}/log/slurmctld.log
SlurmdLogFile={directory}/log/slurmd-%n.log
SlurmctldDebug=verbose
SlurmdDebug=verbose
PlugStackConfig={directory}/etc/plugstack.conf
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SwitchType=switch/none
MpiDefault=pmix
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2
SlurmdParameters=config_overrides
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
KillWait={settings['kill_wait']}
SlurmdTimeout=15
SlurmctldTimeout=60
MessageTimeout=30
MinJobAge=3600
InactiveLimit=0
ReturnToService=2
PropagateResourceLimits=NONE
{nodes}
PartitionName=low Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime={settings['grace']}
PartitionName=high Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=10 PreemptMode=OFF
"""
