//! Undo puts back exactly what was there, and redo what came of it; both leave a world that comes to rest.

use crate::endpoints;
use crate::player::{ACTIONS, Player, SEEDS, documents, same};

#[test]
fn undo_and_redo_restore_every_document() {
    let mut changed = 0;
    for seed in SEEDS {
        let mut player = Player::new(seed);
        player.plays(ACTIONS / 2);
        for round in 0..6 {
            player.rests();
            let before = documents(&player.world);
            player.world.cluster.begin_step("one thing");
            let action = player.dice.u8(2..24);
            player.writes(action);
            if player.dice.bool() {
                player.rests();
            }
            let after = documents(&player.world);
            if before == after {
                continue;
            }
            changed += 1;
            let when = |what: &str| format!("seed {seed}, round {round}, action {action}: {what}");
            player.world.undo().expect("there is something to undo");
            same(&before, &documents(&player.world), &when("undo"));
            player.world.redo().expect("there is something to redo");
            same(&after, &documents(&player.world), &when("redo"));
            player.world.undo().expect("there is something to undo again");
            same(&before, &documents(&player.world), &when("undo again"));
            player.rests();
            endpoints::check(&player.world);
        }
    }
    assert!(changed > 60, "{changed} steps changed something");
}
