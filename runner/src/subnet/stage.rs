//! The processes of a subnet, and what they are given. All end with this one.
use super::cast::{FILE, MINERS, OWNER, VALIDATORS};
use crate::cli::{LedgerPlace, SubnetOptions};
use crate::failure::Failure;
use crate::ledger::place;
use automl_chain::twin::{Genesis, Twin};
use automl_chain::{Call, Chain as _, Metagraph};
use automl_genome::{Limits, original, parse};
use automl_keys::{Address, Hotkey, Place};
use automl_ledger::{Database, Filter, Kind, Ledger};
use automl_publish::{Access, Commitment, Locator, Store};
use automl_validate::Judged;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// Its number.
const NETUID: u16 = 1;
/// A block every half second: an epoch of ten seconds.
const BLOCK_MILLISECONDS: u64 = 500;
const TEMPO: u64 = 20;

/// A subnet that is under way.
pub(super) struct Stage {
    folder: PathBuf,
    hotkeys: BTreeMap<&'static str, Address>,
    chain: Twin,
    ledger: Arc<dyn Ledger>,
    processes: Vec<Running>,
}

/// Ended when it is dropped.
struct Running {
    name: &'static str,
    process: Child,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Stage {
    /// Makes keys and a ledger, admits all, has miners commit, and starts validators.
    pub(super) async fn build(options: &SubnetOptions) -> Result<Stage, Failure> {
        let folder = options.out.clone();
        std::fs::create_dir(&folder).map_err(|error| {
            Failure::bad_input(format!("cannot make {}: {error}; name a new folder with --out", folder.display()))
        })?;
        let mut hotkeys = BTreeMap::new();
        for name in everybody() {
            let path = folder.join(name);
            let address = automl_keys::make(&path)
                .map_err(|error| Failure::bad_input(format!("cannot write {}: {error}", path.display())))?;
            hotkeys.insert(name, address);
        }
        let file = folder.join("ledger.db");
        let database = Database::open(&file.display().to_string()).await?;
        let genesis = Genesis {
            block_milliseconds: BLOCK_MILLISECONDS,
            tempo: TEMPO,
            commitments_every: 0,
            weights_every: 0,
            ..Genesis::new(hotkeys[OWNER])
        };
        Twin::create(&database, NETUID, &genesis).await?;
        database.close().await;
        let (served, url) = serve(&folder, &file)?;
        let place = LedgerPlace { ledger: url.clone(), token_file: None };
        let ledger: Arc<dyn Ledger> = Arc::from(place::open(&place).await?);
        let chain = Twin::open(Arc::clone(&ledger), NETUID).await?;
        let mut stage = Stage { folder, hotkeys, chain, ledger, processes: vec![served] };
        stage.admit().await?;
        for miner in &MINERS {
            stage.commit(miner.name, miner.gene).await?;
        }
        std::fs::write(stage.folder.join("validator.yaml"), FILE).map_err(Failure::internal)?;
        for (name, _) in VALIDATORS {
            let process = validator(&stage.folder, name, &url)?;
            stage.processes.push(process);
        }
        Ok(stage)
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Who has which hotkey.
    pub(super) fn names(&self) -> &BTreeMap<&'static str, Address> {
        &self.hotkeys
    }

    pub(super) async fn metagraph(&self) -> Result<Metagraph, Failure> {
        Ok(self.chain.metagraph().await?)
    }

    /// Whether both validators have set the same weights.
    pub(super) fn agree(&self, metagraph: &Metagraph) -> bool {
        let of = |name: &str| metagraph.neuron(*self.hotkeys.get(name)?).map(|neuron| &neuron.weights);
        let mut weights = VALIDATORS.iter().map(|(name, _)| of(name));
        let first = weights.next().flatten();
        first.is_some() && weights.all(|one| one == first)
    }

    /// What the first validator has found in its last round.
    pub(super) async fn judged(&self) -> Result<Judged, Failure> {
        let records =
            Database::open(&self.folder.join(format!("{}.db", VALIDATORS[0].0)).display().to_string()).await?;
        let rounds = records.all(&Filter { kind: Some(Kind::Round), scope: None }, 0).await?;
        records.close().await;
        let last = rounds.last().ok_or_else(|| Failure::internal("no round was written down"))?;
        serde_json::from_slice(&last.body).map_err(Failure::internal)
    }

    /// Whether nobody has ended before its time.
    pub(super) fn is_alive(&self) -> Result<(), Failure> {
        for Running { name, process } in &self.processes {
            let here = Path::new("/proc").join(process.id().to_string()).join("exe").exists();
            if !here {
                let log = self.folder.join(format!("{name}.log"));
                return Err(Failure::internal(format!("{name} has ended; what it said is in {}", log.display())));
            }
        }
        Ok(())
    }

    fn hotkey(&self, name: &str) -> Result<Hotkey, Failure> {
        Ok(automl_keys::open(&self.folder.join(name), None, Place::here())?)
    }

    async fn admit(&self) -> Result<(), Failure> {
        let owner = self.hotkey(OWNER)?;
        let validators = VALIDATORS.iter().copied();
        for (name, stake) in validators.chain(MINERS.iter().map(|miner| (miner.name, 0))) {
            self.chain.submit(&owner, Call::Admit { hotkey: self.hotkeys[name], stake }).await?;
        }
        Ok(())
    }

    /// Commits to a gene, and then puts it where the commitment says: as a miner's submitter does.
    async fn commit(&self, name: &str, text: &str) -> Result<(), Failure> {
        let hotkey = self.hotkey(name)?;
        let gene = parse(text, &Limits::default()).map_err(Failure::internal)?;
        let place: Locator = format!("ledger:{name}").parse().map_err(Failure::internal)?;
        let commitment = Commitment::new(place.clone(), &gene.to_string());
        // Who was first counts by blocks, so the next one waits for the next block.
        let block = self.chain.submit(&hotkey, Call::Commit { text: commitment.to_string() }).await?.block;
        while self.chain.head().await?.number == block {
            tokio::time::sleep(super::GLANCE).await;
        }
        let file = original::write(&gene, Some(&hotkey.address().to_string()));
        let store = Store::open(&place, &Access::from_environment(Some(Arc::clone(&self.ledger))))?;
        Ok(store.put(&commitment, &file).await?)
    }
}

fn everybody() -> impl Iterator<Item = &'static str> {
    let miners = MINERS.iter().map(|miner| miner.name);
    std::iter::once(OWNER).chain(VALIDATORS.iter().map(|(name, _)| *name)).chain(miners)
}

fn serve(folder: &Path, file: &Path) -> Result<(Running, String), Failure> {
    let mut command = ourselves()?;
    command.args(["ledger", "serve", "--port", "0", "--subnet", &NETUID.to_string()]).arg(file);
    let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().map_err(Failure::internal)?;
    let errors = process.stderr.take().ok_or_else(|| Failure::internal("a process without streams"))?;
    let served = Running { name: "ledger", process };
    let mut lines = BufReader::new(errors).lines().map_while(Result::ok);
    let said = lines.find_map(|line| Some(line.strip_prefix("serving ")?.trim_end_matches("/openapi.json").to_owned()));
    let url = said.ok_or_else(|| Failure::internal(format!("the ledger in {} is not served", folder.display())))?;
    // Whatever else it says is read, so that it never waits for a reader.
    std::thread::spawn(move || lines.for_each(drop));
    Ok((served, url))
}

fn validator(folder: &Path, name: &'static str, url: &str) -> Result<Running, Failure> {
    let log = File::create(folder.join(format!("{name}.log"))).map_err(Failure::internal)?;
    let mut command = ourselves()?;
    command.args(["validate", "--every", "0.3", "--ledger", url, "--file"]).arg(folder.join("validator.yaml"));
    command.arg("--hotkey").arg(folder.join(name)).arg("--records").arg(folder.join(format!("{name}.db")));
    command.stdout(log.try_clone().map_err(Failure::internal)?).stderr(log);
    Ok(Running { name, process: command.spawn().map_err(Failure::internal)? })
}

fn ourselves() -> Result<Command, Failure> {
    let mut command = Command::new(std::env::current_exe().map_err(Failure::internal)?);
    command.stdin(Stdio::null());
    Ok(command)
}
