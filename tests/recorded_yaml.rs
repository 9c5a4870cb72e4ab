//! The promises that reading and `-o yaml` are exact: every YAML that the recorded sessions print is read
//! and written back to the same bytes, and every slip is told in the same words.

use std::fs;
use std::path::Path;

use portside::api::yaml;

/// Commands and outputs of a recorded session.
fn commands(session: &str) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in session.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push((command.to_owned(), String::new()));
        } else if let Some((command, output)) = commands.last_mut() {
            match line.strip_prefix("> ") {
                Some(more) if output.is_empty() => command.push_str(more),
                _ if line.starts_with("# ") => {}
                _ => {
                    output.push_str(line);
                    output.push('\n');
                }
            }
        }
    }
    commands
}

/// Whether a command's whole output is one document of YAML: nothing fails, warns or filters.
fn prints_one_document(command: &str, output: &str) -> bool {
    (command.ends_with("-o yaml") || command.contains("-o yaml "))
        && !command.contains('|')
        && output.starts_with("apiVersion:")
        && !output.contains("\n---\n")
        && !output.contains("\n[exit ")
}

#[test]
fn recorded_yaml_is_written_back_to_the_same_bytes() {
    let sessions = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions");
    let mut seen = 0;
    for entry in fs::read_dir(sessions).expect("the recorded sessions are in the repository") {
        let folder = entry.expect("the folder can be listed").path();
        if !folder.is_dir() {
            continue;
        }
        let file = folder.join("session.txt");
        let session = fs::read_to_string(&file).expect("every session has a transcript");
        for (command, output) in commands(&session) {
            if !prints_one_document(&command, &output) {
                continue;
            }
            let (documents, diagnostics) = yaml::read(&output);
            assert_eq!(diagnostics, [], "{}: {command}", file.display());
            let written: String = documents.iter().map(|document| yaml::write(&document.value())).collect();
            assert_eq!(written, output, "{}: {command}", file.display());
            seen += 1;
        }
    }
    assert!(seen >= 50, "only {seen} recorded outputs are YAML");
}

#[test]
fn recorded_slips_are_told_in_kubectls_words() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions/50-bad-yaml");
    let session = fs::read_to_string(folder.join("session.txt")).expect("the session has a transcript");
    let mut seen = 0;
    for (command, output) in commands(&session) {
        let Some(file) = command.strip_prefix("kubectl apply -f ").filter(|file| !file.contains(' ')) else {
            continue;
        };
        let text = fs::read_to_string(folder.join(file)).expect("the session's files are beside it");
        let (_, diagnostics) = yaml::read(&text);
        let mut errors = diagnostics.iter().filter(|one| one.severity == yaml::Severity::Error);
        let ours = errors.next().map(|error| format!("error: error parsing {file}: {}", error.message));
        let line = output.lines().next().unwrap_or_default();
        let real = line.starts_with("error: error parsing").then(|| line.to_owned());
        assert_eq!(ours, real, "{command}");
        seen += 1;
    }
    assert!(seen >= 40, "only {seen} files were applied");
}
