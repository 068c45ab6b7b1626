/** Functions of a range vector and nothing else that Prometheus 2.42 has. */
export const OVER_RANGES =
  'absent_over_time avg_over_time changes count_over_time delta deriv idelta increase irate last_over_time max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time'.split(
    ' ',
  );

/** Functions of an instant vector and nothing else that Prometheus 2.42 has; those on dates take none as well. */
export const ELEMENTWISE = {
  numbers:
    'abs acos acosh asin asinh atan atanh ceil cos cosh deg exp floor ln log10 log2 rad sgn sin sinh sqrt tan tanh'.split(
      ' ',
    ),
  dates: 'day_of_month day_of_week day_of_year days_in_month hour minute month year'.split(' '),
};
