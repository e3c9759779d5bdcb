"""What the peers' SDK reads from a chain and writes to it: one JSON object.

    commitment URL NETUID HOTKEY                                             the text of a hotkey's commitment
    metagraph URL NETUID                                                     who is in a subnet, and how it stands
    commit URL NETUID WALLETS WALLET HOTKEY TEXT                             publishes a commitment
    set-weights URL NETUID WALLETS WALLET HOTKEY UIDS WEIGHTS VERSION_KEY    sets weights

WALLETS is the folder with the wallets; WALLET and the HOTKEY to write with are names in it, lists are JSON.
"""

import json
import sys

# The SDK writes its log where only the result may be, and reads the arguments as if they were its own.
command, *given = sys.argv[1:]
result, sys.stdout = sys.stdout, sys.stderr
del sys.argv[1:]

from bittensor.core.subtensor import Subtensor  # noqa: E402
from bittensor_wallet import Wallet  # noqa: E402


def commitment(url, netuid, hotkey):
    subtensor = Subtensor(network=url)
    uid = subtensor.get_uid_for_hotkey_on_subnet(hotkey, int(netuid))
    return {"uid": uid, "text": None if uid is None else subtensor.get_commitment(int(netuid), uid)}


def metagraph(url, netuid):
    subtensor = Subtensor(network=url)
    graph = subtensor.metagraph(int(netuid), lite=False)
    lists = ["uids", "stake", "incentive", "dividends", "validator_permit", "last_update"]
    return {
        "block": int(graph.block),
        "tempo": subtensor.tempo(int(netuid)),
        "hotkeys": list(graph.hotkeys),
        **{name: getattr(graph, name).tolist() for name in lists},
        "weights": subtensor.weights(int(netuid)),
    }


def opened(wallets, wallet, hotkey):
    wallet = Wallet(name=wallet, hotkey=hotkey, path=wallets)
    wallet.get_hotkey()  # the SDK would not say that there is none
    return wallet


def commit(url, netuid, wallets, wallet, hotkey, text):
    Subtensor(network=url).commit(opened(wallets, wallet, hotkey), int(netuid), text)
    return {"done": True}


def set_weights(url, netuid, wallets, wallet, hotkey, uids, weights, version_key):
    done, said = Subtensor(network=url).set_weights(
        opened(wallets, wallet, hotkey),
        int(netuid),
        json.loads(uids),
        json.loads(weights),
        version_key=int(version_key),
        wait_for_inclusion=True,
        max_retries=1,
    )
    return {"done": done, "said": said}


COMMANDS = {"commitment": commitment, "metagraph": metagraph, "commit": commit, "set-weights": set_weights}
try:
    found = COMMANDS[command](*given)
except Exception as error:
    found = {"error": type(error).__name__, "said": str(error)}
json.dump(found, result)
