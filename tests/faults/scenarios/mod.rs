//! The scenarios: faults, and what must hold.

mod batch_of_ten;
mod bus_last_delivery;
mod bus_orders;
mod bus_service_down;
mod bus_storm;
mod calls;
mod comparison;
mod duplicates;
mod expiry;
mod killed_workers;
mod last_delivery;
mod lost_answers;
mod notifications;
mod one_of_each;
mod plan;
mod restarts;
mod sockets;
mod storm;
mod sync_lane;
mod worker_down;

use crate::{Load, figures::Figures, test_bed::TestBed};
use futures_util::future::LocalBoxFuture;

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) run: for<'a> fn(&'a TestBed, Load) -> LocalBoxFuture<'a, Figures>,
}

/// In the order of the run.
pub(crate) fn all() -> Vec<Scenario> {
    macro_rules! scenarios {
        ($($module:ident::$name:ident),* $(,)?) => {
            vec![$(Scenario {
                name: concat!(stringify!($module), "::", stringify!($name)),
                run: |bed, load| Box::pin($module::$name(bed, load)),
            }),*]
        };
    }
    scenarios![
        calls::an_order_costs_one_write_and_its_notification_one_query_and_one_post_per_socket,
        lost_answers::a_write_is_not_repeated_after_a_lost_answer_and_its_owner_is_notified,
        lost_answers::a_worker_killed_after_the_write_does_not_write_again_and_its_owner_is_notified,
        duplicates::a_message_delivered_many_times_is_written_once,
        sync_lane::a_throttled_database_is_503_with_retry_after_and_safe_to_repeat,
        sync_lane::a_repeat_after_a_lost_answer_is_200_with_the_stored_order,
        sync_lane::the_function_answers_503_when_the_database_hangs,
        killed_workers::messages_of_killed_workers_are_redelivered_and_written_once,
        last_delivery::a_failed_order_is_confirmed_once_by_a_redrive_and_its_owner_is_notified,
        batch_of_ten::the_worker_reports_only_the_messages_that_fail,
        one_of_each::a_poison_message_a_panic_and_a_transient_failure_affect_no_other_message,
        notifications::a_socket_is_notified_after_posts_that_fail_at_first,
        notifications::a_slow_socket_delays_no_other,
        notifications::a_dead_socket_takes_no_retries_from_others,
        notifications::only_a_gone_socket_loses_its_row,
        sockets::a_socket_closed_at_any_point_costs_no_order_and_a_new_one_reads_the_status,
        bus_orders::an_order_causes_the_calls_that_the_architecture_lists_and_a_bad_one_none,
        bus_orders::an_order_is_placed_until_its_last_step_votes,
        bus_orders::a_payment_is_taken_once_and_its_repeat_is_200_after_a_lost_answer,
        bus_last_delivery::a_step_that_fails_for_good_cancels_its_order_and_a_redrive_does_no_harm,
        bus_last_delivery::a_step_that_dies_before_its_last_vote_loses_no_order,
        bus_last_delivery::a_submission_that_fails_for_good_notifies_its_owner_and_a_redrive_confirms_it,
        bus_last_delivery::an_order_that_cannot_be_published_is_cancelled,
        bus_last_delivery::a_repeat_that_cannot_be_published_changes_nothing,
        bus_service_down::other_lanes_are_not_affected_and_the_bus_lane_catches_up_or_cancels,
        bus_storm::every_order_ends_once_and_only_confirmed_ones_take_anything,
        comparison::a_burst_is_refused_by_the_sync_lane_and_levelled_by_the_async_lane,
        plan::a_plan_predicts_what_a_burst_does_to_each_lane,
        comparison::a_sample_of_a_scenario_file_keeps_its_promises,
        comparison::every_lane_is_compared_and_stock_and_accounts_are_restored,
        comparison::an_interrupted_comparison_restores_the_stack,
        comparison::a_running_comparison_is_not_disturbed_by_others,
        comparison::a_killed_comparison_is_undone_by_restore,
        comparison::a_throttled_database_refuses_orders_in_the_sync_lane_and_delays_them_in_the_async_lane,
        expiry::an_order_that_waited_too_long_is_rejected_and_a_confirmed_one_stays,
        worker_down::the_queue_takes_every_order_while_the_worker_is_down,
        restarts::no_order_is_lost_or_written_twice_when_everything_restarts,
        storm::every_order_survives_a_storm_and_every_owner_is_notified,
        notifications::an_expired_row_is_removed_by_its_time_to_live,
    ]
}
