//! The page's few icons, as inline SVG that takes the colour of the text beside it.

use yew::prelude::{Html, html};

/// Undo.
pub const UNDO: &str = "M6 4 2.5 7.5 6 11M3 7.5h6.5a3.5 3.5 0 0 1 0 7H7";
/// Redo.
pub const REDO: &str = "M10 4l3.5 3.5L10 11M13 7.5H6.5a3.5 3.5 0 0 0 0 7H9";
/// One step.
pub const STEP: &str = "M4 3.500v9l6-4.500zM12 3.500v9";
/// Pause.
pub const PAUSE: &str = "M5.5 3.500v9M10.5 3.500v9";
/// Play.
pub const PLAY: &str = "M5 3v10l8-5z";
/// A half-filled circle: colours.
pub const THEME: &str = "M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12";
/// Plus.
pub const PLUS: &str = "M8 3.500v9M3.5 8h9";
/// Cross.
pub const CROSS: &str = "M4.5 4.500l7 7M11.5 4.500l-7 7";
/// Pencil.
pub const PENCIL: &str = "M3 13l.6-2.800L10.7 3.100a1.4 1.4 0 0 1 2 0l.2.2a1.4 1.4 0 0 1 0 2L5.8 12.400z";
/// Bin.
pub const BIN: &str = "M3 4.500h10M6.5 4.500v-1.500h3v1.500M4.5 4.500l.6 8.500h5.800l.6-8.5";
/// Back.
pub const BACK: &str = "M10 3.5 5.5 8l4.5 4.5";
/// Forward.
pub const FORWARD: &str = "M6 3.5 10.5 8 6 12.5";
/// Again.
pub const AGAIN: &str = "M12.5 8a4.5 4.5 0 1 1-1.4-3.200M12.5 2.500v3h-3";
/// An arrow that leaves: send.
pub const SEND: &str = "M2.5 8h10M9 4.5 12.5 8 9 11.5";

/// A chain of two: share.
pub const SHARE: &str = "M6.500 9.500l3-3M7 4.500l1.300-1.300a2.800 2.800 0 0 1 4 4L11 8.500M9 11.500l-1.300 1.300a2.800 2.800 0 0 1-4-4L5 7.500";
/// Two sliders: settings.
pub const SETTINGS: &str = "M2.500 5h5M11 5h2.500M9.200 3.200a1.800 1.800 0 1 0 0 3.600 1.800 1.800 0 0 0 0-3.600zM2.500 11H5M8.500 11h5M6.800 9.200a1.800 1.800 0 1 0 0 3.600 1.800 1.800 0 0 0 0-3.600z";
/// A magnifying glass: find.
pub const FIND: &str = "M7 2.500a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.300 10.300l3.200 3.200";
/// Two columns: compare.
pub const COMPARE: &str = "M2.500 3h4v10h-4zM9.500 3h4v10h-4z";

/// An icon by its path.
pub fn icon(path: &'static str) -> Html {
    html! {
        <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
            <path d={path} />
        </svg>
    }
}
