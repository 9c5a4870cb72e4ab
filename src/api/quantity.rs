//! Quantities: `100m`, `1Gi`, `0.5`.
//!
//! Owns reading them and their one canonical text, by the rules of `k8s.io/apimachinery`'s
//! `resource.Quantity`: the text keeps the family of its suffix (decimal, binary or exponent) and uses
//! the largest suffix that leaves a whole number.

use std::fmt;

/// Why a text is no quantity, in the API server's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuantityError {
    /// It does not look like one.
    Format,
    /// Its number looks right, its suffix is unknown.
    Suffix,
}

impl fmt::Display for QuantityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Format => {
                "quantities must match the regular expression \
                 '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
            }
            Self::Suffix => "unable to parse quantity's suffix",
        })
    }
}

/// An amount in billionths; Kubernetes keeps nothing smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity {
    nanos: i128,
    family: Family,
}

/// Which suffixes the text uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    Decimal,
    Binary,
    Exponent,
}

const NANOS: i128 = 1_000_000_000;

/// Larger amounts are cut off here, as Kubernetes cuts them at 2^63 - 1.
const LARGEST: i128 = i64::MAX as i128 * NANOS;

/// Suffixes of decimal quantities with their powers of ten, largest first.
const DECIMAL: [(&str, i32); 10] =
    [("E", 18), ("P", 15), ("T", 12), ("G", 9), ("M", 6), ("k", 3), ("", 0), ("m", -3), ("u", -6), ("n", -9)];

/// Suffixes of binary quantities with their powers of two, largest first.
const BINARY: [(&str, u32); 6] = [("Ei", 60), ("Pi", 50), ("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)];

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self { nanos: 0, family: Family::Decimal };

    /// The sum, in the family of the first unless that is nothing (`Quantity.Add`).
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let family = if self.nanos == 0 { other.family } else { self.family };
        Self { nanos: (self.nanos + other.nanos).min(LARGEST), family }
    }

    /// The larger of two.
    #[must_use]
    pub fn or_larger(self, other: Self) -> Self {
        if other.nanos > self.nanos { other } else { self }
    }

    /// The whole percentage of a total, cut off; 0 of nothing.
    #[must_use]
    pub fn percent_of(self, total: Self) -> i128 {
        if total.nanos == 0 { 0 } else { self.nanos * 100 / total.nanos }
    }

    /// Reads a quantity.
    ///
    /// # Errors
    /// What the API server would say.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return Err(QuantityError::Format);
        }
        let (family, factor) = factor(suffix).ok_or_else(|| {
            let shaped = suffix.chars().all(|c| "eEinumkKMGTP+-0123456789".contains(c));
            if shaped { QuantityError::Suffix } else { QuantityError::Format }
        })?;
        let nanos = scaled(whole, fraction, factor);
        Ok(Self { nanos: if negative { -nanos } else { nanos }, family })
    }

    /// The amount in thousandths, rounded up: what schedulers count processors in.
    #[must_use]
    pub fn millis(self) -> i64 {
        let millis =
            self.nanos.div_euclid(NANOS / 1000) + i128::from(self.nanos.rem_euclid(NANOS / 1000) != 0);
        i64::try_from(millis).unwrap_or(i64::MAX)
    }

    /// Whether it is less than nothing.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.nanos < 0
    }

    /// Whether it has no fraction above a thousandth.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.millis() % 1000 == 0
    }

    /// How it compares with another one, however both are written.
    #[must_use]
    pub fn amount_order(self, other: Self) -> std::cmp::Ordering {
        self.nanos.cmp(&other.nanos)
    }

    /// The whole amount, rounded up: bytes, Pods.
    #[must_use]
    pub fn whole(self) -> i64 {
        let whole = self.nanos.div_euclid(NANOS) + i128::from(self.nanos.rem_euclid(NANOS) != 0);
        i64::try_from(whole).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.nanos == 0 {
            return f.write_str("0");
        }
        // Binary suffixes are for whole amounts from 1Ki on.
        if self.family == Family::Binary && self.nanos % NANOS == 0 && self.nanos.abs() >= 1024 * NANOS {
            let whole = self.nanos / NANOS;
            let (suffix, power) =
                BINARY.iter().find(|(_, power)| whole % (1i128 << power) == 0).copied().unwrap_or(("", 0));
            return write!(f, "{}{suffix}", whole >> power);
        }
        let unit = |power: i32| 10i128.pow((power + 9).cast_unsigned());
        let mut suffixes = DECIMAL.iter().copied();
        let (suffix, power) =
            suffixes.find(|(_, power)| self.nanos % unit(*power) == 0).expect("billionths always fit");
        let unit = unit(power);
        match (self.family, power) {
            (Family::Exponent, 0) | (Family::Decimal | Family::Binary, _) => {
                write!(f, "{}{suffix}", self.nanos / unit)
            }
            (Family::Exponent, _) => write!(f, "{}e{power}", self.nanos / unit),
        }
    }
}

/// The family and the factor of a suffix: a power of two, or of ten.
fn factor(suffix: &str) -> Option<(Family, Factor)> {
    if let Some((_, power)) = DECIMAL.iter().find(|(name, _)| *name == suffix) {
        return Some((Family::Decimal, Factor::Ten(*power)));
    }
    if let Some((_, power)) = BINARY.iter().find(|(name, _)| *name == suffix) {
        return Some((Family::Binary, Factor::Two(*power)));
    }
    let exponent = suffix.strip_prefix(['e', 'E'])?.parse::<i32>().ok()?;
    Some((Family::Exponent, Factor::Ten(exponent)))
}

#[derive(Clone, Copy)]
enum Factor {
    Two(u32),
    Ten(i32),
}

/// `whole.fraction` times a factor, in billionths, rounded up, cut off at the largest amount.
fn scaled(whole: &str, fraction: &str, factor: Factor) -> i128 {
    // More digits than these change nothing that is kept.
    const DIGITS: usize = 30;
    let digits: String = whole.trim_start_matches('0').chars().chain(fraction.chars().take(DIGITS)).collect();
    if whole.trim_start_matches('0').len() > DIGITS {
        return LARGEST;
    }
    let mut digits = digits.as_str();
    let mut power = 9 - i32::try_from(fraction.len().min(DIGITS)).expect("at most 30 digits");
    // Keeps the product below within 128 bits.
    while digits.len() > 36 {
        digits = &digits[..digits.len() - 1];
        power += 1;
    }
    let mantissa: i128 = digits.parse().unwrap_or(0);
    let mantissa = match factor {
        Factor::Two(shift) => mantissa.checked_mul(1i128 << shift).unwrap_or(LARGEST),
        Factor::Ten(ten) => {
            power = power.saturating_add(ten);
            mantissa
        }
    };
    let size = 10i128.checked_pow(power.unsigned_abs());
    let scaled = match (power >= 0, size) {
        (true, Some(size)) => mantissa.checked_mul(size).unwrap_or(LARGEST),
        (true, None) if mantissa == 0 => 0,
        (true, None) => LARGEST,
        (false, Some(size)) => mantissa / size + i128::from(mantissa % size != 0),
        (false, None) => i128::from(mantissa != 0),
    };
    scaled.min(LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_canonical_text_uses_the_largest_fitting_suffix() {
        let check = |text: &str, canonical: &str| {
            assert_eq!(Quantity::parse(text).unwrap().to_string(), canonical, "{text}");
        };
        for same in ["100m", "1", "64Mi", "1Gi", "170Mi", "110", "2500m", "1e3", "5k", "0", "-1"] {
            check(same, same);
        }
        check("0.5", "500m");
        check("1000m", "1");
        check("1024Mi", "1Gi");
        check("1000k", "1M");
        check("0.5Gi", "512Mi");
        check("512", "512");
        check("1.5Gi", "1536Mi");
        check("0.1n", "1n");
        check("1.0", "1");
        check("1024", "1024");
        check("1000", "1k");
        check("99999999999999999999999", "9223372036854775807");
        check("1e400", "9223372036854775807");
    }

    #[test]
    fn what_is_no_quantity_is_told_in_the_api_servers_words() {
        let check =
            |text: &str, error: QuantityError| assert_eq!(Quantity::parse(text), Err(error), "{text}");
        check("", QuantityError::Format);
        check("abc", QuantityError::Format);
        check("1 Gi", QuantityError::Format);
        check("1gi", QuantityError::Format);
        check("1KiB", QuantityError::Format);
        check("1K", QuantityError::Suffix);
        check("1..2", QuantityError::Format);
    }
}
