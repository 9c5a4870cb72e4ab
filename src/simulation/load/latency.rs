//! How long requests took.
//!
//! Owns a histogram whose buckets grow with what they hold: small, and right to some percent.

/// Buckets for each doubling of the time.
const STEPS: u32 = 16;

/// Times in microseconds, counted in buckets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latencies {
    counts: Vec<u64>,
    total: u64,
    sum_us: u64,
    longest_us: u64,
}

impl Latencies {
    /// Counts a time.
    pub(super) fn add(&mut self, us: u64) {
        let index = bucket(us);
        if self.counts.len() <= index {
            self.counts.resize(index + 1, 0);
        }
        self.counts[index] += 1;
        self.total += 1;
        self.sum_us += us;
        self.longest_us = self.longest_us.max(us);
    }

    /// How many times were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.total
    }

    /// The longest time in microseconds.
    #[must_use]
    pub fn longest_us(&self) -> u64 {
        self.longest_us
    }

    /// The mean in microseconds.
    #[must_use]
    pub fn mean_us(&self) -> u64 {
        self.sum_us.checked_div(self.total).unwrap_or(0)
    }

    /// The time in microseconds that `percent` of a hundred were no longer than (within some percent).
    #[must_use]
    pub fn percentile_us(&self, percent: u64) -> u64 {
        let wanted = (self.total * percent).div_ceil(100);
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted && *count > 0 {
                return upper(index).min(self.longest_us);
            }
        }
        self.longest_us
    }
}

fn bucket(us: u64) -> usize {
    if us < u64::from(STEPS) {
        return usize::try_from(us).unwrap_or(0);
    }
    let doublings = us.ilog2();
    let within = (us >> (doublings - STEPS.ilog2())) - u64::from(STEPS);
    let index = u64::from((doublings - STEPS.ilog2() + 1) * STEPS) + within;
    usize::try_from(index).unwrap_or(0)
}

/// The longest time that a bucket holds.
fn upper(index: usize) -> u64 {
    let steps = STEPS as usize;
    if index < steps {
        return index as u64;
    }
    let doublings = (index / steps - 1) as u32;
    ((STEPS as u64 + (index % steps) as u64 + 1) << doublings) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_times_that_are_alike() {
        for us in [0, 1, 15, 16, 17, 31, 32, 33, 100, 1_000, 999_999, 1 << 40] {
            let top = upper(bucket(us));
            assert!(us <= top && top - us <= us / 16 + 1, "{us} {top}");
        }
    }

    #[test]
    fn percentiles_follow_the_times() {
        let mut latencies = Latencies::default();
        for us in 1..=1_000 {
            latencies.add(us);
        }
        assert_eq!((latencies.count(), latencies.mean_us(), latencies.longest_us()), (1_000, 500, 1_000));
        for (percent, expected) in [(50, 500), (90, 900), (99, 990), (100, 1_000)] {
            let found = latencies.percentile_us(percent);
            assert!(found >= expected && found <= expected + expected / 10, "{percent}: {found}");
        }
    }
}
