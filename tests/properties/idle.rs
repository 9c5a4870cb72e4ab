//! A world in which nobody does anything comes to rest, and then has nothing due.

use crate::player::{ACTIONS, Player, SEEDS, documents, same};

#[test]
fn an_idle_cluster_has_an_empty_queue() {
    for seed in SEEDS {
        let mut player = Player::new(seed);
        player.plays(ACTIONS);
        player.rests();
        assert!(player.world.cluster.queue().is_empty(), "seed {seed}");
        assert_eq!(player.world.next_due(), None);
        let before = documents(&player.world);
        player.world.advance_to(player.world.now() + 3_600_000_000);
        same(&before, &documents(&player.world), &format!("seed {seed}, an hour later"));
    }
}
