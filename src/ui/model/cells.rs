//! Which cell of its node a Pod has.
//!
//! Owns one promise of the map: a Pod keeps its cell as long as it lives, and a new one takes the first
//! that is free, so that nothing moves unless something happened.

use std::collections::BTreeMap;

use crate::api::value::SmolStr;

/// The cells of all nodes, by node and uid of the Pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cells {
    nodes: BTreeMap<SmolStr, Vec<Option<SmolStr>>>,
}

impl Cells {
    /// The cell of a Pod on a node; takes the first free one if it has none yet.
    pub fn take(&mut self, node: &SmolStr, uid: &SmolStr) -> usize {
        let cells = self.nodes.entry(node.clone()).or_default();
        if let Some(cell) = cells.iter().position(|taken| taken.as_ref() == Some(uid)) {
            return cell;
        }
        let cell = cells.iter().position(Option::is_none).unwrap_or_else(|| {
            cells.push(None);
            cells.len() - 1
        });
        cells[cell] = Some(uid.clone());
        cell
    }

    /// Frees the cell of a Pod.
    pub fn free(&mut self, node: &str, uid: &str) {
        let Some(cells) = self.nodes.get_mut(node) else { return };
        if let Some(cell) = cells.iter_mut().find(|taken| taken.as_deref() == Some(uid)) {
            *cell = None;
        }
        while cells.last().is_some_and(Option::is_none) {
            cells.pop();
        }
    }

    /// How many cells of a node are in use, gaps included.
    #[must_use]
    pub fn count(&self, node: &str) -> usize {
        self.nodes.get(node).map_or(0, Vec::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_keep_their_cells_and_new_ones_take_free_ones() {
        let mut cells = Cells::default();
        let node = SmolStr::new("n");
        let [a, b, c, d] = ["a", "b", "c", "d"].map(SmolStr::new);
        assert_eq!((cells.take(&node, &a), cells.take(&node, &b), cells.take(&node, &c)), (0, 1, 2));
        cells.free("n", "b");
        assert_eq!(cells.take(&node, &c), 2, "c stays where it is");
        assert_eq!(cells.take(&node, &d), 1, "d takes the gap");
        cells.free("n", "c");
        assert_eq!(cells.count("n"), 2);
    }
}
