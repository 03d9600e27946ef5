//! Lists of the lanes outside of `crates/lanes`.

use testkit::repository::read;

#[test]
fn the_page_has_every_lane_of_the_table() {
    let page = read("page/lanes.js");

    let listed: Vec<_> = page.split("{ name: '").skip(1).filter_map(|entry| entry.split('\'').next()).collect();

    assert_eq!(listed, lanes::names().collect::<Vec<_>>(), "page/lanes.js (left), crates/lanes (right)");
}

#[test]
fn the_demo_sends_its_orders_down_every_lane_of_the_table() {
    let demo = read("infra/local/localcloud/demo.py");
    let line = demo.lines().find(|line| line.starts_with("_LANES = (")).expect("the demo has a list of lanes");

    let listed: Vec<_> = line.split('"').skip(1).step_by(2).collect();

    assert_eq!(listed, lanes::names().collect::<Vec<_>>(), "demo.py (left), crates/lanes (right)");
}
