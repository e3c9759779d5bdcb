//! Which addresses are public: all that a stranger may send us to.
//!
//! Of IPv4 what the IANA keeps for special purposes is taken out; of IPv6 only what is given out to the world is let in
//! (<https://www.iana.org/assignments/iana-ipv4-special-registry>, the same for `ipv6`).
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Networks as their first address and the bits that all of their addresses share.
const NOT_PUBLIC: [([u8; 4], u32); 15] = [
    ([0, 0, 0, 0], 8),        // this host
    ([10, 0, 0, 0], 8),       // private
    ([100, 64, 0, 0], 10),    // behind a provider's translation, and a cloud's metadata
    ([127, 0, 0, 0], 8),      // loopback
    ([168, 63, 129, 16], 32), // a cloud's own services, on each of its machines
    ([169, 254, 0, 0], 16),   // link-local, and most clouds' metadata
    ([172, 16, 0, 0], 12),    // private
    ([192, 0, 0, 0], 24),     // protocols
    ([192, 0, 2, 0], 24),     // documentation
    ([192, 88, 99, 0], 24),   // relays
    ([192, 168, 0, 0], 16),   // private
    ([198, 18, 0, 0], 15),    // benchmarks
    ([198, 51, 100, 0], 24),  // documentation
    ([203, 0, 113, 0], 24),   // documentation
    ([224, 0, 0, 0], 3),      // multicast, reserved, broadcast
];

/// The same of IPv6, within what is given out.
const NOT_PUBLIC_6: [([u16; 2], u32); 4] = [
    ([0x2001, 0x0000], 23), // protocols: tunnels that hold an address of IPv4, benchmarks
    ([0x2001, 0x0db8], 32), // documentation
    ([0x2002, 0x0000], 16), // tunnels
    ([0x3fff, 0x0000], 20), // documentation
];

/// Whether anybody on the Internet could reach it.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_4(address),
        IpAddr::V6(address) => inner(address).map_or_else(|| is_public_6(address), is_public_4),
    }
}

fn is_public_4(address: Ipv4Addr) -> bool {
    let within = |(net, bits): &([u8; 4], u32)| (address.to_bits() ^ u32::from_be_bytes(*net)) >> (32 - bits) == 0;
    !NOT_PUBLIC.iter().any(within)
}

fn is_public_6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let head = u32::from(first) << 16 | u32::from(second);
    let within =
        |([high, low], bits): &([u16; 2], u32)| (head ^ (u32::from(*high) << 16 | u32::from(*low))) >> (32 - bits) == 0;
    first >> 13 == 1 && !NOT_PUBLIC_6.iter().any(within)
}

/// The address of IPv4 that one of IPv6 stands for: mapped (`::ffff:0:0/96`), or translated on the way (`64:ff9b::/96`).
fn inner(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    }
}
