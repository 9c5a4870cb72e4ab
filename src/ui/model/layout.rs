//! Where everything on the map stands.
//!
//! Pure geometry: a map and a size in, rectangles and lines out. The bands are, from the top: outside,
//! Services, the lanes in which endpoint lines run, and the nodes side by side. Lengths are CSS pixels.

use std::collections::{BTreeMap, BTreeSet};

use super::map::{LinkState, Map, ServiceView};
use crate::api::object::Key;
use crate::api::value::SmolStr;

/// Space around and between things.
const GAP: f64 = 12.0;
/// Width of the column in which the bands are named.
const NAMES: f64 = 84.0;
/// Height of the band outside the cluster.
const OUTSIDE: f64 = 56.0;
/// Height of a Service's pill.
const PILL: f64 = 40.0;
/// Rows of pills at most; Services beyond are counted.
const PILL_ROWS: usize = 2;
/// Height of a node's heading.
const HEADING: f64 = 52.0;
/// Width of the gutter beside a column of Pods, in which endpoint lines run down.
const GUTTER: f64 = 18.0;
/// Lanes for endpoint lines; Services beyond share them.
const LANES: usize = 8;
/// Distance between lanes.
const LANE: f64 = 4.0;
/// More nodes than this are drawn without Pods.
pub const NODES: usize = 12;
/// A narrower map has no column of names, and its nodes stand below each other.
const NARROW: f64 = 560.0;
/// The room for Pods of one node there: the page scrolls.
const STACKED_ROOM: f64 = 600.0;
/// In a narrower node the marker of kube-proxy has no word.
pub const SMALL_NODE: f64 = 210.0;
/// The narrowest column of a node.
const NODE_WIDTH: f64 = 132.0;

/// A rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left.
    pub x: f64,
    /// Top.
    pub y: f64,
    /// Width.
    pub w: f64,
    /// Height.
    pub h: f64,
}

impl Rect {
    /// The middle.
    #[must_use]
    pub fn centre(&self) -> Point {
        Point { x: self.x + self.w / 2.0, y: self.y + self.h / 2.0 }
    }
}

/// A point.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// From the left.
    pub x: f64,
    /// From the top.
    pub y: f64,
}

/// How much of a Pod is written on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Name, address and state.
    Card,
    /// Its name.
    Chip,
    /// Nothing: a square with its sign.
    Dot,
}

/// A Pod's place.
#[derive(Clone, Debug, PartialEq)]
pub struct PodPlace {
    /// Which Pod.
    pub key: Key,
    /// Where.
    pub rect: Rect,
}

/// A node's place.
#[derive(Clone, Debug, PartialEq)]
pub struct NodePlace {
    /// Which node; empty for Pods that have none yet.
    pub name: SmolStr,
    /// The whole column.
    pub rect: Rect,
    /// The kube-proxy marker in its heading.
    pub proxy: Rect,
    /// Pods that do not fit into the column.
    pub more: usize,
}

/// A line from a Service to a Pod.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The Service.
    pub service: Key,
    /// The Pod.
    pub pod: Key,
    /// How the endpoint stands.
    pub state: LinkState,
    /// The way, as an SVG path.
    pub path: String,
}

/// Everything's place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// The height that all of it needs.
    pub height: f64,
    /// The width that all of it needs.
    pub width: f64,
    /// The workstation.
    pub workstation: Rect,
    /// The router between the world and the nodes' network.
    pub router: Point,
    /// Addresses of load balancers, each with its Service.
    pub balancers: Vec<(SmolStr, Key, Rect)>,
    /// Pills of Services.
    pub services: Vec<(Key, Rect)>,
    /// Services without a pill.
    pub more_services: usize,
    /// Top of the bands: outside, Services, nodes.
    pub bands: [f64; 3],
    /// Columns of nodes.
    pub nodes: Vec<NodePlace>,
    /// Nodes that are counted only.
    pub more_nodes: usize,
    /// How Pods are drawn.
    pub detail: Option<Detail>,
    /// Pods.
    pub pods: Vec<PodPlace>,
    /// Endpoint lines.
    pub lines: Vec<Line>,
}

/// Sizes of Pods by detail: height, smallest width, gap.
const SIZES: [(Detail, f64, f64, f64); 3] =
    [(Detail::Card, 44.0, 148.0, 6.0), (Detail::Chip, 22.0, 92.0, 4.0), (Detail::Dot, 12.0, 12.0, 3.0)];

/// Lays a map out on an area of this size.
#[must_use]
pub fn lay_out(map: &Map, width: f64, height: f64) -> Layout {
    let names = if width < NARROW { 0.0 } else { NAMES };
    let mut layout = Layout { width, ..Layout::default() };
    outside(&mut layout, map, names);
    let lanes_top = services(&mut layout, map, names, width);
    let linked = layout.services.iter().filter(|(key, _)| !map.services[key].links.is_empty()).count();
    let nodes_top = lanes_top + GAP + linked.min(LANES) as f64 * LANE + 4.0;
    layout.bands[2] = nodes_top;
    nodes(&mut layout, map, names, nodes_top, height);
    lines(&mut layout, map, lanes_top);
    layout
}

fn outside(layout: &mut Layout, map: &Map, names: f64) {
    layout.bands[0] = 0.0;
    layout.workstation = Rect { x: GAP + names, y: 9.0, w: 148.0, h: OUTSIDE - 18.0 };
    layout.router = Point { x: layout.width - 44.0, y: OUTSIDE };
    let mut x = layout.workstation.x + layout.workstation.w + GAP;
    for service in map.services.values() {
        for address in &service.outside {
            let rect = Rect { x, y: 9.0, w: 148.0, h: OUTSIDE - 18.0 };
            x += rect.w + GAP;
            if x < layout.width - 60.0 {
                layout.balancers.push((address.clone(), service.key.clone(), rect));
            }
        }
    }
}

/// The width of a Service's pill, from the text on it.
fn pill_width(service: &ServiceView) -> f64 {
    let above = service.key.name.len() as f64 * 7.6;
    let below = (service.address.len() + service.ports.len() + 2) as f64 * 6.8;
    (above.max(below) + 36.0).clamp(112.0, 264.0)
}

/// Places the pills; gives where the lanes begin.
fn services(layout: &mut Layout, map: &Map, names: f64, width: f64) -> f64 {
    let top = OUTSIDE;
    layout.bands[1] = top;
    let left = GAP + names;
    let (mut x, mut row) = (left, 0);
    for service in ordered_services(map) {
        let w = pill_width(service).min(width - left - GAP);
        if x + w > width - GAP && x > left {
            (x, row) = (left, row + 1);
        }
        if row >= PILL_ROWS {
            layout.more_services += 1;
            continue;
        }
        let y = top + 9.0 + row as f64 * (PILL + 8.0);
        layout.services.push((service.key.clone(), Rect { x, y, w, h: PILL }));
        x += w + GAP;
    }
    let rows = if layout.services.is_empty() { 1 } else { row.min(PILL_ROWS - 1) + 1 };
    top + 9.0 + rows as f64 * (PILL + 8.0)
}

/// Services in the order of the band: those that a person made before those of the system.
fn ordered_services(map: &Map) -> Vec<&ServiceView> {
    let mut services: Vec<&ServiceView> = map.services.values().collect();
    services.sort_by_key(|service| is_system(&service.key));
    services
}

/// Whether an object belongs to the cluster itself.
#[must_use]
pub fn is_system(key: &Key) -> bool {
    key.namespace.starts_with("kube-") || (key.namespace == "default" && key.name == "kubernetes")
}

/// How the columns of nodes stand: beside each other, or below each other on a narrow page.
struct Columns {
    names: Vec<SmolStr>,
    left: f64,
    w: f64,
    stacked: bool,
}

fn columns(layout: &mut Layout, map: &Map, names: f64) -> Columns {
    let shown = map.nodes.len().min(NODES);
    layout.more_nodes = map.nodes.len() - shown;
    let mut columns = map.node_names(shown);
    if map.cells_on("") > 0 {
        columns.push(SmolStr::default());
    }
    let left = GAP + names;
    let stacked = layout.width < NARROW;
    let count = if stacked { 1.0 } else { columns.len().max(1) as f64 };
    let w = ((layout.width - left - GAP - (count - 1.0) * GAP) / count).max(NODE_WIDTH);
    layout.width = layout.width.max(left + count * (w + GAP));
    Columns { names: columns, left, w, stacked }
}

fn nodes(layout: &mut Layout, map: &Map, names: f64, top: f64, height: f64) {
    let Columns { names, left, w, stacked } = columns(layout, map, names);
    let room = if stacked { STACKED_ROOM } else { (height - top - HEADING - GAP).max(120.0) };
    // Who waits for a node does not make the others smaller.
    let placed = names.iter().filter(|name| !name.is_empty());
    let most = placed.map(|name| map.cells_on(name)).max().unwrap_or(0);
    let size = SIZES.into_iter().find(|size| fits(size, most, w, room)).unwrap_or(SIZES[2]);
    let (detail, pod_height, _, gap) = size;
    layout.detail = Some(detail);
    let rows = (room / (pod_height + gap)).floor().max(1.0) as usize;
    let mut bottom = top;
    for (index, name) in names.into_iter().enumerate() {
        let (x, y) = if stacked { (left, bottom) } else { (left + index as f64 * (w + GAP), top) };
        let cells = if stacked { map.cells_on(&name) } else { most };
        let grid =
            Grid { x, w, top: y + HEADING, size, columns: grid_columns(size, w, cells, rows, stacked) };
        let mut more = 0;
        let mut lowest = y + HEADING + if stacked { 0.0 } else { 60.0 };
        for (index, pod) in map.pods_on(&name).enumerate() {
            let waits = name.is_empty();
            let cell = if waits { index } else { pod.cell };
            if (waits || detail == Detail::Dot) && cell / grid.columns >= rows {
                more = map.cells_on(&name) - index;
                break;
            }
            let rect = grid.rect(cell);
            lowest = lowest.max(rect.y + rect.h);
            layout.pods.push(PodPlace { key: pod.key.clone(), rect });
        }
        let sign = if w < SMALL_NODE { 24.0 } else { 80.0 };
        let proxy = Rect { x: x + w - sign - 12.0, y: y + 11.0, w: sign, h: 22.0 };
        let rect = Rect { x, y, w, h: lowest + GAP - y };
        bottom = if stacked { rect.y + rect.h + GAP } else { bottom.max(lowest + 2.0 * GAP) };
        layout.nodes.push(NodePlace { name, rect, proxy, more });
    }
    layout.height = bottom.max(height);
    if !stacked {
        for node in &mut layout.nodes {
            node.rect.h = layout.height - top - GAP;
        }
    }
}

/// Whether all Pods of a node fit in a size.
fn fits(&(_, pod_height, smallest, gap): &(Detail, f64, f64, f64), most: usize, w: f64, room: f64) -> bool {
    most.div_ceil(pod_columns(w, smallest)) as f64 * (pod_height + gap) <= room
}

/// How many Pods stand beside each other: as few as the room allows, for wide cards are read more easily.
fn grid_columns(
    (detail, _, smallest, gap): (Detail, f64, f64, f64),
    w: f64,
    cells: usize,
    rows: usize,
    stacked: bool,
) -> usize {
    let fitting = pod_columns(w, smallest);
    match detail {
        Detail::Dot => ((w - 2.0 * GUTTER) / (smallest + gap)).floor().max(1.0) as usize,
        _ if stacked => fitting,
        _ => cells.div_ceil(rows).clamp(1, fitting),
    }
}

fn pod_columns(width: f64, smallest: f64) -> usize {
    (width / (smallest + GUTTER)).floor().max(1.0) as usize
}

/// The cells of one node.
struct Grid {
    x: f64,
    w: f64,
    top: f64,
    size: (Detail, f64, f64, f64),
    columns: usize,
}

impl Grid {
    fn rect(&self, cell: usize) -> Rect {
        let (detail, height, smallest, gap) = self.size;
        let (row, column) = (cell / self.columns, cell % self.columns);
        let y = self.top + row as f64 * (height + gap);
        if detail == Detail::Dot {
            return Rect { x: self.x + GUTTER + column as f64 * (smallest + gap), y, w: smallest, h: height };
        }
        let each = (self.w - 8.0) / self.columns as f64;
        let extra = if self.columns == 1 { 0.0 } else { 4.0 };
        Rect { x: self.x + column as f64 * each + GUTTER, y, w: each - GUTTER + extra, h: height }
    }
}

fn lines(layout: &mut Layout, map: &Map, lanes_top: f64) {
    let places: BTreeMap<&Key, Rect> = layout.pods.iter().map(|place| (&place.key, place.rect)).collect();
    let mut lines = Vec::new();
    let mut lane = 0;
    for (key, pill) in &layout.services {
        let service = &map.services[key];
        if service.links.is_empty() {
            continue;
        }
        let y = lanes_top + (lane % LANES) as f64 * LANE;
        // Lines of different Services run beside each other in the gutters too.
        let offset = 4.0 + (lane % 4) as f64 * 3.0;
        lane += 1;
        let mut rows = BTreeSet::new();
        // Only what is drawn is looked for: a Service may have more endpoints than the map has room.
        for (pod, rect) in places.iter().filter(|(pod, _)| pod.namespace == key.namespace) {
            let Ok(at) = service.links.binary_search_by(|(name, _)| name.cmp(&pod.name)) else { continue };
            let state = &service.links[at].1;
            let (pod, mut rect) = ((*pod).clone(), *rect);
            if layout.detail == Some(Detail::Dot) {
                // Squares stand too close for a line each: one leads to each row that has such a Pod.
                let node = layout
                    .nodes
                    .iter()
                    .find(|node| node.rect.x <= rect.x && rect.x < node.rect.x + node.rect.w);
                rect.x = node.map_or(rect.x, |node| node.rect.x + GUTTER);
                if !rows.insert((rect.x.to_bits(), rect.y.to_bits(), *state)) {
                    continue;
                }
            }
            let from = Point { x: pill.x + 20.0 + (lane % 4) as f64 * 3.0, y: pill.y + pill.h };
            let path = route(from, y, rect.x - GUTTER + offset, &rect);
            lines.push(Line { service: key.clone(), pod, state: *state, path });
        }
    }
    layout.lines = lines;
}

/// Down from the pill, along the lane, down the gutter, and into the Pod from its left.
fn route(from: Point, lane: f64, gutter: f64, pod: &Rect) -> String {
    let r: f64 = 5.0;
    let end = pod.y + (pod.h / 2.0).min(14.0);
    let sign = if gutter < from.x { -1.0 } else { 1.0 };
    let across = (gutter - from.x).abs();
    let bend = r.min(across / 2.0);
    let into = r.min(pod.x - gutter);
    format!(
        "M{:.1} {:.1}V{:.1}Q{:.1} {:.1} {:.1} {:.1}H{:.1}Q{:.1} {:.1} {:.1} {:.1}V{:.1}Q{:.1} {:.1} {:.1} {:.1}H{:.1}",
        from.x,
        from.y,
        lane - bend,
        from.x,
        lane,
        from.x + sign * bend,
        lane,
        gutter - sign * bend,
        gutter,
        lane,
        gutter,
        lane + bend,
        end - into,
        gutter,
        end,
        gutter + into,
        end,
        pod.x
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::registry::Kind;
    use crate::cluster::{Actor, Settings};
    use crate::simulation::Simulation;
    use crate::value;

    fn map_with_pods(count: usize) -> Map {
        let mut simulation = Simulation::new(Settings::default());
        for index in 0..count {
            let pod = value!({
                "metadata": { "name": (format!("web-{index}")) },
                "spec": { "nodeName": (if index % 2 == 0 { "k8s-w1" } else { "k8s-w2" }), "containers": [{ "name": "c", "image": "nginx" }] }
            });
            simulation.cluster.create(Actor::User, Kind::Pod, "default", pod).expect("the Pod is valid");
        }
        let mut map = Map::default();
        map.observe(&simulation.cluster);
        map
    }

    fn overlaps(a: &Rect, b: &Rect) -> bool {
        a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
    }

    #[test]
    fn pods_never_overlap_and_stay_within_their_node() {
        for (count, width, height) in
            [(4, 1040.0, 480.0), (30, 1040.0, 480.0), (300, 1040.0, 480.0), (12, 390.0, 600.0)]
        {
            let map = map_with_pods(count);
            let layout = lay_out(&map, width, height);
            for (index, pod) in layout.pods.iter().enumerate() {
                let node = layout.nodes.iter().find(|node| node.name == map.pods[&pod.key].node);
                let node = node.expect("every Pod's node has a column").rect;
                assert!(
                    pod.rect.x >= node.x && pod.rect.x + pod.rect.w <= node.x + node.w + 0.5,
                    "{count} Pods: {pod:?} in {node:?}"
                );
                for other in &layout.pods[index + 1..] {
                    assert!(!overlaps(&pod.rect, &other.rect), "{count} Pods: {pod:?} and {other:?}");
                }
            }
        }
    }

    #[test]
    fn the_more_pods_the_less_is_written_on_each() {
        let detail = |count| lay_out(&map_with_pods(count), 1040.0, 480.0).detail;
        assert_eq!(detail(4), Some(Detail::Card));
        assert_eq!(detail(300), Some(Detail::Dot));
    }

    #[test]
    fn squares_share_a_line_per_row() {
        let mut simulation = Simulation::new(Settings::default());
        crate::session::first_world::build(&mut simulation);
        let mut map = Map::default();
        map.observe(&simulation.cluster);
        let lines = |map: &Map, height| lay_out(map, 1040.0, height).lines.len();
        let cards = lines(&map, 480.0);
        let squares = lines(&map, 10.0);
        assert!(lay_out(&map, 1040.0, 10.0).pods.len() >= 6 && squares <= cards, "{squares} of {cards}");
    }

    #[test]
    fn a_pod_that_comes_leaves_the_others_where_they_are() {
        let before = lay_out(&map_with_pods(4), 1040.0, 480.0);
        let after = lay_out(&map_with_pods(5), 1040.0, 480.0);
        for pod in before.pods {
            assert!(after.pods.contains(&pod), "{pod:?} moved");
        }
    }
}
