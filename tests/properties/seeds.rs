//! The same seed and the same requests give the same world.

use crate::player::{ACTIONS, Player, SEEDS, documents, same};

#[test]
fn the_same_seed_gives_the_same_world() {
    for seed in SEEDS {
        let run = || {
            let mut player = Player::new(seed);
            player.plays(ACTIONS);
            (player.world.now(), player.world.revision(), documents(&player.world))
        };
        let (one, other) = (run(), run());
        assert_eq!((one.0, one.1), (other.0, other.1), "seed {seed}");
        same(&one.2, &other.2, &format!("seed {seed}"));
    }
}

#[test]
fn another_seed_gives_another_world() {
    let run = |seed| {
        let mut player = Player::new(seed);
        player.plays(ACTIONS);
        documents(&player.world)
    };
    assert_ne!(run(1), run(2));
}
