//! What is done to the stack, and what must hold.

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

use crate::{Load, figures::Figures, rig::Rig};
use futures_util::future::LocalBoxFuture;

/// One thing that must hold.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) run: for<'a> fn(&'a Rig, Load) -> LocalBoxFuture<'a, Figures>,
}

/// Every scenario, in the order in which they run.
pub(crate) fn all() -> Vec<Scenario> {
    macro_rules! scenarios {
        ($($module:ident::$name:ident),* $(,)?) => {
            vec![$(Scenario {
                name: concat!(stringify!($module), "::", stringify!($name)),
                run: |rig, load| Box::pin($module::$name(rig, load)),
            }),*]
        };
    }
    scenarios![
        calls::an_order_costs_one_write_and_being_told_one_look_up_and_one_post_a_socket,
        lost_answers::a_write_whose_answer_is_lost_is_not_repeated_and_its_owner_is_told,
        lost_answers::a_worker_killed_after_the_write_does_not_write_again_and_its_owner_is_told,
        duplicates::a_message_delivered_many_times_is_written_once,
        sync_lane::a_throttled_database_is_503_with_retry_after_and_safe_to_repeat,
        sync_lane::a_repeat_after_a_lost_answer_is_200_with_the_stored_order,
        sync_lane::a_database_that_hangs_is_answered_by_the_function_itself,
        killed_workers::messages_of_killed_workers_come_again_and_are_written_once,
        last_delivery::a_failed_order_is_confirmed_once_by_a_redrive_and_told_once_more,
        batch_of_ten::the_worker_fails_only_what_fails,
        one_of_each::a_poison_a_panic_and_a_transient_failure_cost_no_other_message_of_their_batch,
        notifications::a_socket_is_told_although_posts_to_it_fail_at_first,
        notifications::a_slow_socket_delays_nobody,
        notifications::a_dead_socket_takes_no_retries_from_others,
        notifications::a_gone_socket_loses_its_row_and_no_other_does,
        sockets::a_socket_closed_at_any_point_costs_no_order_and_a_new_one_hears_how_it_stands,
        bus_orders::an_order_takes_the_calls_that_the_architecture_lists_and_a_bad_one_takes_none,
        bus_orders::an_order_is_placed_until_its_last_step_votes,
        bus_orders::a_payment_whose_answer_is_lost_is_200_at_its_repeat_and_taken_once,
        bus_last_delivery::a_step_that_fails_for_good_cancels_its_order_and_a_redrive_does_no_harm,
        bus_last_delivery::a_submission_that_fails_for_good_notifies_its_owner_and_a_redrive_confirms_it,
        bus_service_down::other_lanes_do_not_notice_and_the_bus_lane_catches_up_or_cancels,
        bus_storm::every_order_ends_once_and_only_confirmed_ones_take_anything,
        comparison::a_burst_is_refused_by_the_sync_lane_and_levelled_by_the_async_lane,
        plan::a_plan_predicts_what_a_burst_does_to_each_lane,
        comparison::a_sample_of_a_scenario_file_keeps_its_promises,
        comparison::every_lane_is_compared_and_stock_and_accounts_are_left_as_they_were,
        comparison::an_interrupted_comparison_leaves_the_stack_as_it_was,
        comparison::a_comparison_that_runs_is_left_alone_by_others,
        comparison::a_killed_comparison_is_undone_by_restore,
        comparison::a_throttled_database_is_the_callers_in_the_sync_lane_and_the_queues_in_the_async_lane,
        expiry::an_order_that_waited_too_long_is_rejected_and_a_confirmed_one_stays,
        worker_down::the_queue_takes_every_order_while_the_worker_is_down,
        restarts::no_order_is_lost_or_written_twice_when_everything_restarts,
        storm::every_order_survives_a_storm_and_every_owner_is_told_of_theirs,
        notifications::a_row_whose_time_is_over_goes_without_a_sweep,
    ]
}
