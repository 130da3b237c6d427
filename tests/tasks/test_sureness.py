"""What was measured of how sure the embedded network is."""

from demo.models.zoo import ZOO
from demo.tasks.sureness import MEASURED


def test_what_was_measured_names_a_network_and_shares() -> None:
    assert MEASURED.backbone_name in ZOO
    assert 0 < MEASURED.right <= MEASURED.count
    assert 0 < MEASURED.mean < 1
