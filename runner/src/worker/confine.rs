//! What a child may do once it is warm: compute, and speak on the two streams it has.
//!
//! Each layer is enough against the mistake it is for; together they hold where one of them is missing. The list of system
//! calls is short because everything lazy (libraries, tables, the autograd engine) has been loaded before.
use super::message::Confinement;
use anyhow::{Context, Result};
use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetStatus};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter_all_threads,
};
use std::collections::BTreeMap;

/// Reading and writing on open streams, memory, time, waiting, ending.
const NEEDED: &[i64] = &[
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_close,
    libc::SYS_fstat,
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_getcpu,
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getrandom,
    libc::SYS_getrusage,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_set_robust_list,
    libc::SYS_membarrier,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

/// Opens connections, or reaches into other processes and the kernel.
const REACHING: &[i64] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_mount,
    libc::SYS_bpf,
    libc::SYS_keyctl,
    libc::SYS_io_uring_setup,
];

/// Uses connections that are open, or starts programs: a scorer does, what trains does not.
const SERVING: &[i64] =
    &[libc::SYS_accept, libc::SYS_accept4, libc::SYS_sendto, libc::SYS_sendmsg, libc::SYS_execve, libc::SYS_execveat];

/// Locks this process in for good. `memory`: bytes it may take beyond what it has now.
///
/// On a GPU only what is deadly is forbidden: its driver opens devices and maps memory at any time.
pub(super) fn confine(memory: Option<u64>, on_gpu: bool) -> Result<Confinement> {
    std::env::set_current_dir("/").context("cannot leave the working directory")?;
    lower(Resource::Core, 0)?;
    let memory = memory.filter(|_| !on_gpu).map(|allowance| taken().map(|taken| taken + allowance)).transpose()?;
    if let Some(memory) = memory {
        lower(Resource::Data, memory)?;
    }
    let landlock = if on_gpu { "none".to_owned() } else { deny_files().context("landlock")? };
    // Filters need this promise, as a pod of restricted Pod Security has given it already.
    rustix::thread::set_no_new_privs(true).context("cannot give up privileges")?;
    // Nothing that trains ever asks for these: who does is ended.
    forbid(&[REACHING, SERVING].concat(), SeccompAction::KillProcess)?;
    if !on_gpu {
        allow_only(NEEDED)?;
    }
    Ok(Confinement { system_calls: true, landlock, memory })
}

/// Takes the right to open connections from this process and all that it starts, for good; those that are open stay.
pub(crate) fn close_network() -> Result<()> {
    rustix::thread::set_no_new_privs(true).context("cannot give up privileges")?;
    forbid(REACHING, SeccompAction::Errno(libc::EPERM as u32))
}

/// Lowers a limit for good; one that is lower already stays.
fn lower(resource: Resource, to: u64) -> Result<()> {
    let now = getrlimit(resource);
    let to = now.maximum.map_or(to, |maximum| maximum.min(to));
    setrlimit(resource, Rlimit { current: Some(to), maximum: Some(to) }).context("cannot lower a limit")
}

/// Private memory that this process has mapped, in bytes.
fn taken() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("cannot read /proc/self/status")?;
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmData:")?.trim().split(' ').next()?.parse::<u64>().ok());
    Ok(1024 * kib.context("/proc/self/status has no VmData")?)
}

/// Takes away all rights to files and to the network, as far as the kernel knows how.
fn deny_files() -> Result<String> {
    let abi = ABI::V6;
    let rules = Ruleset::default().handle_access(AccessFs::from_all(abi))?.handle_access(AccessNet::from_all(abi))?;
    let status = rules.create()?.restrict_self()?;
    Ok(match status.ruleset {
        RulesetStatus::FullyEnforced => "full",
        RulesetStatus::PartiallyEnforced => "partial",
        RulesetStatus::NotEnforced => "none",
    }
    .to_owned())
}

fn forbid(calls: &[i64], action: SeccompAction) -> Result<()> {
    let rules = calls.iter().map(|call| (*call, Vec::new())).collect();
    install(rules, SeccompAction::Allow, action)
}

fn allow_only(calls: &[i64]) -> Result<()> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = calls.iter().map(|call| (*call, Vec::new())).collect();
    // An abort sends a signal to the process itself; to no other.
    let this = u64::from(std::process::id());
    let own = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, this)?;
    rules.insert(libc::SYS_tgkill, vec![SeccompRule::new(vec![own])?]);
    install(rules, SeccompAction::Errno(libc::EPERM as u32), SeccompAction::Allow)
}

/// Puts a filter on top of those there are: the strictest answer counts. On all threads: a GPU's gradients are computed on one
/// that libtorch has started before.
fn install(rules: BTreeMap<i64, Vec<SeccompRule>>, otherwise: SeccompAction, matched: SeccompAction) -> Result<()> {
    let architecture = std::env::consts::ARCH.try_into().context("system calls of this processor are not known")?;
    let filter = SeccompFilter::new(rules, otherwise, matched, architecture)?;
    let program: BpfProgram = filter.try_into()?;
    apply_filter_all_threads(&program).context("the kernel refuses the filter of system calls")
}
