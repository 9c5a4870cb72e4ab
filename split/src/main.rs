//! `portside-split record MODULE RECORDING` and `portside-split split MODULE RAN FIRST SECOND`.
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["record", module, out] => {
            let m = std::fs::read(module).unwrap();
            std::fs::write(out, portside_split::record::recording(&m).unwrap()).unwrap();
        }
        ["split", module, ran, first, second] => {
            let m = std::fs::read(module).unwrap();
            let ran = std::fs::read_to_string(ran).unwrap();
            let parts = portside_split::split(&m, &ran.lines().map(|l| l.parse().unwrap()).collect()).unwrap();
            std::fs::write(first, parts.first).unwrap();
            std::fs::write(second, parts.second).unwrap();
        }
        _ => panic!(),
    }
}
