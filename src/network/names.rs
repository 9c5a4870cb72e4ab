//! Names of kube-proxy's chains.
//!
//! Owns the hash that shortens Service ports and endpoints to chain names, as kube-proxy makes it
//! (pkg/proxy/iptables: SHA-256, base32, first 16 letters; pkg/proxy/nftables: first 8).

use super::outcome::PortName;

const ROUND: [u32; 64] = [
    0x428a_2f98,
    0x7137_4491,
    0xb5c0_fbcf,
    0xe9b5_dba5,
    0x3956_c25b,
    0x59f1_11f1,
    0x923f_82a4,
    0xab1c_5ed5,
    0xd807_aa98,
    0x1283_5b01,
    0x2431_85be,
    0x550c_7dc3,
    0x72be_5d74,
    0x80de_b1fe,
    0x9bdc_06a7,
    0xc19b_f174,
    0xe49b_69c1,
    0xefbe_4786,
    0x0fc1_9dc6,
    0x240c_a1cc,
    0x2de9_2c6f,
    0x4a74_84aa,
    0x5cb0_a9dc,
    0x76f9_88da,
    0x983e_5152,
    0xa831_c66d,
    0xb003_27c8,
    0xbf59_7fc7,
    0xc6e0_0bf3,
    0xd5a7_9147,
    0x06ca_6351,
    0x1429_2967,
    0x27b7_0a85,
    0x2e1b_2138,
    0x4d2c_6dfc,
    0x5338_0d13,
    0x650a_7354,
    0x766a_0abb,
    0x81c2_c92e,
    0x9272_2c85,
    0xa2bf_e8a1,
    0xa81a_664b,
    0xc24b_8b70,
    0xc76c_51a3,
    0xd192_e819,
    0xd699_0624,
    0xf40e_3585,
    0x106a_a070,
    0x19a4_c116,
    0x1e37_6c08,
    0x2748_774c,
    0x34b0_bcb5,
    0x391c_0cb3,
    0x4ed8_aa4a,
    0x5b9c_ca4f,
    0x682e_6ff3,
    0x748f_82ee,
    0x78a5_636f,
    0x84c8_7814,
    0x8cc7_0208,
    0x90be_fffa,
    0xa450_6ceb,
    0xbef9_a3f7,
    0xc671_78f2,
];

const START: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// SHA-256 (FIPS 180-4).
fn sha256(message: &[u8]) -> [u8; 32] {
    let mut padded = message.to_vec();
    padded.push(0x80);
    while padded.len() % 64 != 56 {
        padded.push(0);
    }
    padded.extend_from_slice(&(message.len() as u64 * 8).to_be_bytes());
    let mut state = START;
    for block in padded.chunks_exact(64) {
        compress(&mut state, block);
    }
    let mut digest = [0; 32];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

fn compress(state: &mut [u32; 8], block: &[u8]) {
    let mut schedule = [0_u32; 64];
    for (word, bytes) in schedule.iter_mut().zip(block.chunks_exact(4)) {
        *word = bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    }
    for i in 16..64 {
        let (a, b) = (schedule[i - 15], schedule[i - 2]);
        let low = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
        let high = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
        schedule[i] = schedule[i - 16].wrapping_add(low).wrapping_add(schedule[i - 7]).wrapping_add(high);
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    for (constant, word) in ROUND.iter().zip(schedule) {
        let sum = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let first = h.wrapping_add(sum).wrapping_add(choice).wrapping_add(*constant).wrapping_add(word);
        let sum = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        (h, g, f, e) = (g, f, e, d.wrapping_add(first));
        (d, c, b, a) = (c, b, a, first.wrapping_add(sum.wrapping_add(majority)));
    }
    for (held, new) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
        *held = held.wrapping_add(new);
    }
}

/// The first `length` letters of the text's hash in base32 (RFC 4648).
fn hash(text: &str, length: usize) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digest = sha256(text.as_bytes());
    (0..length)
        .map(|letter| {
            let bits = (0..5).map(|bit| letter * 5 + bit);
            let value = bits.fold(0, |value, at| value << 1 | (digest[at / 8] >> (7 - at % 8) & 1));
            LETTERS[usize::from(value)] as char
        })
        .collect()
}

/// The 16 letters that stand for a Service port in iptables chains: `KUBE-SVC-…`, `-SVL-`, `-EXT-`, `-FW-`.
#[must_use]
pub fn service_hash(name: &PortName) -> String {
    hash(&format!("{name}{}", name.protocol.name().to_lowercase()), 16)
}

/// The chain of an endpoint in iptables mode; `endpoint` is `address:port`.
#[must_use]
pub fn endpoint_chain(name: &PortName, endpoint: &str) -> String {
    format!("KUBE-SEP-{}", hash(&format!("{name}{}{endpoint}", name.protocol.name().to_lowercase()), 16))
}

/// The chain of a Pod's host ports, by its sandbox. The real name is of SHA-512; sandboxes have no real ids here.
#[must_use]
pub fn sandbox_chain(network: &str, sandbox: &str) -> String {
    let digest = sha256(format!("{network}{sandbox}").as_bytes());
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("CNI-DN-{}", &digits[..21])
}

/// A name of a chain or set in nftables mode: its first 8 letters of hash, then itself.
#[must_use]
pub fn nft_name(name: &str) -> String {
    format!("{}-{name}", hash(name, 8))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::typed::Protocol;

    fn port(service: &str, name: &str, protocol: Protocol) -> PortName {
        PortName { namespace: "dp".into(), service: service.into(), port: name.into(), protocol }
    }

    #[test]
    fn the_hash_is_sha256() {
        let digest: String = sha256(b"abc").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn chains_are_named_as_kube_proxy_names_them() {
        // From reference/network/rules/k8s-w1.iptables-save.txt.
        for (service, name, protocol, expected) in [
            ("echo", "", Protocol::Tcp, "GGDVK7WKKV6KZW53"),
            ("web", "http", Protocol::Tcp, "IFGUBRKS5UGRVAEJ"),
            ("multi", "dns", Protocol::Udp, "QU6HXX3ERGNSRNWW"),
        ] {
            assert_eq!(service_hash(&port(service, name, protocol)), expected, "{service}");
        }
        let chain = endpoint_chain(&port("echo", "", Protocol::Tcp), "10.244.2.16:8080");
        assert_eq!(chain, "KUBE-SEP-AGUEB6HJVXQB5D7V");
    }
}
