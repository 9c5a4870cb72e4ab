//! Base64 with the standard alphabet and padding (RFC 4648), as Go's `base64.StdEncoding`.
//!
//! Owns coding, decoding and the place of the first byte that does not fit.

const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The text that stands for bytes.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at)) as usize & 63];
            out.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

/// The bytes that text stands for; line breaks are skipped.
///
/// # Errors
/// The place of the first byte that is no base64.
pub fn decode(text: &str) -> Result<Vec<u8>, usize> {
    if let Some(at) = illegal_byte(text) {
        return Err(at);
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.bytes() {
        let Some(digit) = LETTERS.iter().position(|letter| *letter == byte) else { continue };
        bits = (bits << 6) | u32::try_from(digit).expect("there are 64 letters");
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).expect("eight bits"));
        }
    }
    Ok(bytes)
}

/// The place of the first byte that is no base64, as Go tells it.
#[must_use]
pub fn illegal_byte(text: &str) -> Option<usize> {
    let letters = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).count();
    let padding = text.trim_end_matches(['\n', '\r']).bytes().rev().take_while(|byte| *byte == b'=').count();
    let end = text.trim_end_matches(['\n', '\r']).len() - padding.min(2);
    let fits = |byte: u8| LETTERS.contains(&byte) || matches!(byte, b'\n' | b'\r');
    text.as_bytes()[..end].iter().position(|byte| !fits(*byte)).or((letters % 4 != 0).then_some(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_text_stand_for_each_other() {
        for (plain, coded) in [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj"), ("~~~?", "fn5+Pw==")]
        {
            assert_eq!(encode(plain.as_bytes()), coded, "{plain}");
            assert_eq!(decode(coded).as_deref(), Ok(plain.as_bytes()), "{coded}");
        }
        assert_eq!(decode("aHVu\ndGVyMg==\n").as_deref(), Ok("hunter2".as_bytes()));
    }

    #[test]
    fn the_first_byte_that_does_not_fit_is_told() {
        assert_eq!(decode("x y"), Err(1));
        assert_eq!(decode("YQ"), Err(2));
        assert_eq!(decode("é==="), Err(0));
    }
}
