from tflite_export.operator_latency import KindLatency, OperatorLatency, by_kind


def test_kinds_are_summed_and_sorted_by_time():
    latencies = [
        OperatorLatency("ADD", "add1", 1.0),
        OperatorLatency("LceBconv2d", "conv1", 2.0),
        OperatorLatency("ADD", "add2", 0.5),
        OperatorLatency("LceBconv2d", "conv2", 4.5),
    ]
    assert by_kind(latencies) == [
        KindLatency("LceBconv2d", 2, 6.5, 0.8125),
        KindLatency("ADD", 2, 1.5, 0.1875),
    ]


def test_no_operators_have_no_kinds():
    assert by_kind([]) == []


def test_operators_without_time_have_no_share():
    assert by_kind([OperatorLatency("ADD", "add", 0.0)])[0].share == 0.0
