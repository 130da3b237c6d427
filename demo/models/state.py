"""ModelState: the network and the head in use, which the three tabs share."""

from dataclasses import dataclass, replace

from demo.models.head import Head
from demo.models.zoo import find_spec


@dataclass(frozen=True, eq=False)
class ModelState:
    """Which backbone is in use, and whose classes answer.

    It is immutable: each change returns a new state. The backbone is kept by name, not by reference, so that an idle
    visitor never holds a network in memory; `BackboneCache` has the one shared copy.
    """

    backbone_name: str
    head: Head | None = None
    use_head: bool = False

    @property
    def answering_head(self) -> Head | None:
        """The visitor's head if it answers now; None where ImageNet's own classifier does.

        A head fits the features of one backbone only; while another one is in use, it is kept but does not answer.
        """
        return self.head if self.use_head and self.head_fits else None

    @property
    def head_fits(self) -> bool:
        """Whether there is a head and it belongs to the backbone in use."""
        return self.head is not None and self.head.backbone_name == self.backbone_name

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes that answer now."""
        head = self.answering_head
        return head.class_names if head else find_spec(self.backbone_name).class_names

    def with_backbone(self, name: str) -> "ModelState":
        """Use another backbone; a head stays with the one it was trained on."""
        return replace(self, backbone_name=find_spec(name).name)

    def with_head(self, head: Head) -> "ModelState":
        """Use a newly trained head, on the backbone it was trained on."""
        return replace(self, backbone_name=head.backbone_name, head=head, use_head=True)

    def with_answers(self, *, own: bool) -> "ModelState":
        """Let the visitor's own classes answer, or ImageNet's, without dropping the head."""
        return replace(self, use_head=own)

    def without_head(self) -> "ModelState":
        """Go back to ImageNet and drop the head."""
        return replace(self, head=None, use_head=False)
