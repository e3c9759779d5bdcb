//! What costs money: a person says yes to the price, and the coldkey signs, here and nowhere else.
use super::{network, open, shown::tokens, tell};
use crate::cli::{PaidBy, Subnet};
use crate::failure::Failure;
use crate::output;
use automl_chain::{ChainError, Included, Refused};
use automl_keys::{Address, Coldkey, KeyError, Place};
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

/// Has a hotkey take part.
pub(super) async fn register(
    subnet: &Subnet,
    paid: &PaidBy,
    password_file: Option<&Path>,
    hotkey: Address,
) -> Result<(), Failure> {
    let opened = open(subnet).await?;
    let chain = opened.subtensor()?;
    let price = chain.price_of_place().await?;
    let at_most = allowed(paid, price)?;
    agree(paid, &format!("register {hotkey} in subnet {} for {:.9}", subnet.netuid, tokens(price)))?;
    let coldkey = coldkey(paid, password_file)?;
    let included = chain.register(&coldkey, hotkey, at_most).await?;
    tell(subnet, &included, coldkey.pair())
}

/// Makes a subnet.
pub(super) async fn create_subnet(text: &str, paid: &PaidBy, hotkey: Address) -> Result<(), Failure> {
    let chain = network(text, 0)?;
    let price = chain.price_of_subnet().await?;
    let at_most = allowed(paid, price)?;
    agree(paid, &format!("make a subnet of {hotkey} on {text} for {:.9}", tokens(price)))?;
    let coldkey = coldkey(paid, None)?;
    let (Included { block, .. }, netuid) = chain.create_subnet(&coldkey, hotkey, at_most).await?;
    output::line(match netuid {
        Some(netuid) => format!("subnet {netuid} is there since block {block}"),
        None => format!("a subnet was made in block {block}; its number cannot be read now"),
    })
}

fn allowed(paid: &PaidBy, price: u64) -> Result<u64, Failure> {
    let most = paid.at_most.ok_or_else(|| Failure::usage("say with --at-most what it may cost"))?;
    Refused::dearer(price, most).map_err(ChainError::from)?;
    Ok(most)
}

fn agree(paid: &PaidBy, what: &str) -> Result<(), Failure> {
    if paid.yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!("nobody is here to be asked: to {what}, say --yes")));
    }
    eprint!("{what}? [y/N] ");
    // Where it cannot be shown, what is read is no yes.
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(Failure::internal)?;
    if answer.trim().eq_ignore_ascii_case("y") { Ok(()) } else { Err(Failure::usage("nothing was done")) }
}

/// Opens the key that pays; from here on this process leaves no core.
fn coldkey(paid: &PaidBy, password_file: Option<&Path>) -> Result<Coldkey, Failure> {
    automl_keys::seal().map_err(Failure::internal)?;
    let path = paid.coldkey.as_deref().ok_or_else(|| Failure::usage("name the key that pays with --coldkey"))?;
    let place = Place::here();
    let password = password_file.map(|file| automl_keys::password(file, place)).transpose()?;
    match automl_keys::open_coldkey(path, password.as_ref().map(|password| password.as_str()), place) {
        Err(KeyError::NoPassword { .. }) if std::io::stdin().is_terminal() => {
            let typed = rpassword::prompt_password(format!("password of {}: ", path.display()));
            let typed = automl_keys::Zeroizing::new(typed.map_err(Failure::internal)?);
            Ok(automl_keys::open_coldkey(path, Some(&typed), place)?)
        }
        opened => Ok(opened?),
    }
}
