//! Packets of running programs on their way over the map: where each is at a moment, and how clearly it is seen.
//!
//! Owns [`Flight`]. It draws nothing: that is the map's overlay.

use super::journey::{End, Journey};
use super::layout::{Layout, Point};
use super::map::Map;

/// Milliseconds that a packet flies.
pub const FLIGHT_MS: f64 = 1_100.0;
/// The part of a flight in which the packet comes into sight.
const DAWN: f64 = 0.1;
/// The part of a flight after which it goes out of sight.
const DUSK: f64 = 0.85;

/// One packet that flies its whole way, once.
#[derive(Clone, Debug, PartialEq)]
pub struct Flight {
    /// When it set out, in milliseconds of the page's clock.
    born_ms: f64,
    /// Whether it was refused, dropped, or found no route.
    pub failed: bool,
    points: Vec<Point>,
    /// The length of the way up to each point.
    lengths: Vec<f64>,
}

impl Flight {
    /// The flight of a packet that set out at a moment; `None` if nothing of its way is on the map.
    #[must_use]
    pub fn of(journey: &Journey, born_ms: f64, layout: &Layout, map: &Map) -> Option<Self> {
        Self::along(journey.points(layout, map), born_ms, journey.end != End::Delivered)
    }

    fn along(points: Vec<Point>, born_ms: f64, failed: bool) -> Option<Self> {
        let mut lengths = vec![0.0];
        for pair in points.windows(2) {
            let step = (pair[1].x - pair[0].x).hypot(pair[1].y - pair[0].y);
            lengths.push(lengths.last().copied().unwrap_or_default() + step);
        }
        (points.len() > 1).then_some(Self { born_ms, failed, points, lengths })
    }

    /// Where it is at a moment, and how opaque, from 0 to 1; `None` once it has arrived.
    #[must_use]
    pub fn at(&self, now_ms: f64) -> Option<(Point, f64)> {
        let part = ((now_ms - self.born_ms) / FLIGHT_MS).max(0.0);
        if part >= 1.0 {
            return None;
        }
        let seen = (part / DAWN).min((1.0 - part) / (1.0 - DUSK)).min(1.0);
        // Slow at both ends, as what is set in motion and stopped is.
        let eased = part * part * (3.0 - 2.0 * part);
        Some((self.point(eased), seen))
    }

    /// The point after a part of the way.
    fn point(&self, part: f64) -> Point {
        let gone = part * self.lengths.last().copied().unwrap_or_default();
        let next = self.lengths.partition_point(|length| *length <= gone).clamp(1, self.points.len() - 1);
        let (from, to) = (self.points[next - 1], self.points[next]);
        let step = self.lengths[next] - self.lengths[next - 1];
        let share = if step > 0.0 { (gone - self.lengths[next - 1]) / step } else { 0.0 };
        Point { x: from.x + (to.x - from.x) * share, y: from.y + (to.y - from.y) * share }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corner() -> Flight {
        let points = [(0.0, 0.0), (100.0, 0.0), (100.0, 50.0)].map(|(x, y)| Point { x, y });
        Flight::along(points.into(), 1_000.0, false).expect("the way has three points")
    }

    #[test]
    fn a_packet_flies_its_way_once_and_is_seen_in_the_middle_of_it() {
        let flight = corner();
        assert_eq!(flight.at(1_000.0), Some((Point { x: 0.0, y: 0.0 }, 0.0)));
        let (point, seen) = flight.at(1_000.0 + FLIGHT_MS / 2.0).expect("it flies");
        assert!(
            (point.x - 75.0).abs() < 1e-9 && point.y == 0.0,
            "half of 150 is on the first leg: {point:?}"
        );
        assert!((seen - 1.0).abs() < 1e-9);
        assert_eq!(flight.at(1_000.0 + FLIGHT_MS), None);
    }

    #[test]
    fn a_packet_turns_at_the_corners_and_never_goes_back() {
        let flight = corner();
        let mut gone = -1.0;
        for step in 0..100 {
            let (point, seen) = flight.at(1_000.0 + FLIGHT_MS * f64::from(step) / 100.0).expect("it flies");
            assert!(point.y == 0.0 || point.x == 100.0, "it keeps to its way: {point:?}");
            assert!(point.x + point.y >= gone && (0.0..=1.0).contains(&seen));
            gone = point.x + point.y;
        }
        assert!(gone > 149.0, "it nears the end: {gone}");
    }

    #[test]
    fn a_way_of_which_one_point_is_on_the_map_is_not_flown() {
        assert_eq!(Flight::along(vec![Point::default()], 0.0, true), None);
        assert_eq!(Flight::along(Vec::new(), 0.0, true), None);
    }

    #[test]
    fn a_packet_stays_where_the_whole_way_is_one_point() {
        let flight = Flight::along(vec![Point { x: 7.0, y: 7.0 }; 2], 0.0, true).expect("two points");
        assert_eq!(flight.at(FLIGHT_MS / 2.0).map(|(point, _)| point), Some(Point { x: 7.0, y: 7.0 }));
    }
}
