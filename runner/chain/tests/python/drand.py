"""Weights under a timelock as the peers' own library makes and opens them, without a network: one JSON object.

    encrypt ROUND PLAIN                          a payload of ours, sealed
    decrypt ROUND SIGNATURE COMMIT               a commit, opened with the pulse of its round
    commit ROUND HOTKEY UIDS VALUES VERSION_KEY  weights in the library's own payload, sealed
    round LAST_EPOCH BLOCK TEMPO AFTER           the round for weights that are committed to now

Bytes are hexadecimal, lists are JSON.
"""

import json
import sys
import time

import bittensor_drand

GENESIS, PERIOD = 1692803367, 3  # of the beacon quicknet, in seconds


def compact(number):
    """SCALE's length of a list: one, two or four bytes, which cover anything that fits into a commit."""
    if number < 1 << 6:
        return bytes([number << 2])
    if number < 1 << 14:
        return (number << 2 | 1).to_bytes(2, "little")
    return (number << 2 | 2).to_bytes(4, "little")


def encrypt(number, plain):
    around, _ = bittensor_drand.encrypt_at_round(bytes.fromhex(plain), int(number))
    # The library puts a commit's length before it and its round behind it; the chain has both in fields of their own.
    before = next(size for size in (1, 2, 4) if compact(len(around) - size - 8) == around[:size])
    return {"commit": around[before:-8].hex()}


def decrypt(number, signature, commit):
    commit = bytes.fromhex(commit)
    around = compact(len(commit)) + commit + int(number).to_bytes(8, "little")
    return {"plain": bittensor_drand.decrypt_with_signature(around, signature).hex()}


def commit(number, hotkey, uids, values, version_key):
    def at(block_time):
        return bittensor_drand.get_encrypted_commit_v2(
            uids=json.loads(uids),
            weights=json.loads(values),
            version_key=int(version_key),
            last_epoch_block=100,
            pending_epoch_at=0,
            subnet_epoch_index=1,
            tempo=10,
            blocks_since_last_step=0,
            current_block=100,
            subnet_reveal_period_epochs=1,
            block_time=block_time,
            hotkey=bytes.fromhex(hotkey),
        )

    def ahead(number):
        return GENESIS + PERIOD * (number + 0.5) - time.time()

    # The library reckons the round from the clock and a number of blocks. Long blocks tell how many; blocks of less
    # than no time then lead back to the round that is wanted, whose pulse is known.
    long = 1e5
    blocks = round(ahead(at(long)[1]) / long)
    sealed, number = at(ahead(int(number)) / blocks)
    return {"commit": bytes(sealed).hex(), "round": number}


def round_of(last_epoch, block, tempo, after):
    _, number = bittensor_drand.get_encrypted_commit_v2(
        uids=[1],
        weights=[1],
        version_key=0,
        last_epoch_block=int(last_epoch),
        pending_epoch_at=0,
        subnet_epoch_index=1,
        tempo=int(tempo),
        blocks_since_last_step=int(block) - int(last_epoch),
        current_block=int(block),
        subnet_reveal_period_epochs=int(after),
        block_time=12.0,
        hotkey=bytes(32),
    )
    return {"round": number}


COMMANDS = {"encrypt": encrypt, "decrypt": decrypt, "commit": commit, "round": round_of}
json.dump(COMMANDS[sys.argv[1]](*sys.argv[2:]), sys.stdout)
