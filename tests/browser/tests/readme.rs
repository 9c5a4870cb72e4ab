//! The picture in README: taken of the page as it is, with `PORTSIDE_PICTURES=1 make test`.

use portside_browser_tests::visit;

const SERVICE: &str = include_str!("../../examples/service02.yaml");
const DEPLOYMENT: &str = include_str!("../../examples/deploy-nginx.yaml");

#[test]
fn the_map_shows_the_service_and_its_pods() {
    visit("readme", |page| {
        page.paste_file("deploy-nginx.yaml", DEPLOYMENT);
        page.terminal("kubectl create -f deploy-nginx.yaml");
        page.paste_file("service02.yaml", SERVICE);
        page.terminal("kubectl create -f service02.yaml");
        page.terminal_until("kubectl get ep", "+ 1 more...");
        let pods = page.terminal("kubectl get pods -o name");
        let map = page.wait_text("region", "Map", "hu-nginx");
        for pod in pods.lines().filter_map(|line| line.strip_prefix("pod/hu-nginx")) {
            // The map may shorten a name, never its end, which tells Pods of one Deployment apart.
            let end = pod.rsplit('-').next().unwrap_or(pod);
            assert!(map.contains(end), "{pod} is on the map:\n{map}");
        }
        page.picture("screenshot");
    });
}
