"""What of a finding is shown, and what is left to the runbook."""

from tlsinspect.diagnosis.rule import Fix
from tlsinspect.report.findings import of_several_products

PRODUCTS = ("nginx", "nginx (grpc)", "nginx (stream)", "HAProxy", "Envoy", "Go")


def fix(product: str) -> Fix:
    return Fix(product=product, action="Change it.", example="")


def test_first_fixes_are_for_different_products() -> None:
    chosen = of_several_products([fix(product) for product in PRODUCTS])

    assert [each.product for each in chosen] == ["nginx", "HAProxy", "Envoy"]


def test_first_fixes_are_several_for_one_product_where_there_are_no_others() -> None:
    chosen = of_several_products([fix(product) for product in PRODUCTS[:3]])

    assert [each.product for each in chosen] == ["nginx", "nginx (grpc)", "nginx (stream)"]
