#include "physics/ledger.hpp"

#include <doctest/doctest.h>

#include "ground/testing.test.hpp"

using namespace ktc;
using Amounts = std::vector<double>;

TEST_CASE("exact moves have three accounts") {
    const Accounts accounts(0);
    CHECK(accounts.kept() == 3);
    CHECK(accounts.complete());
    CHECK(accounts.close());
    CHECK(accounts.slot(Accounts::supply) == 2);
    CHECK_FALSE(accounts.keeps(Accounts::source));
    CHECK_FALSE(accounts.keeps(Accounts::first_heat));
}

TEST_CASE("steps have all accounts, and one for each heat bath") {
    const Accounts accounts(3);
    CHECK(accounts.kept() == Accounts::first_heat + 3);
    CHECK(accounts.slot(Accounts::first_heat + 2) == Accounts::first_heat + 2);
    CHECK_FALSE(accounts.keeps(Accounts::first_heat + 3));
}

TEST_CASE("accounts that are not wanted take no place") {
    std::vector<bool> wanted(Accounts::names.size(), false);
    wanted[Accounts::heat] = wanted[Accounts::first_heat] = true;
    const Accounts accounts(2, wanted);
    CHECK(accounts.kept() == 3);
    CHECK_FALSE(accounts.keeps(Accounts::work));
    CHECK(accounts.slot(Accounts::heat) == 0);
    CHECK(accounts.slot(Accounts::first_heat + 1) == 2);
    CHECK_FALSE(accounts.complete());
    CHECK_FALSE(accounts.close());
}

namespace {

Ledger books(std::size_t heat_accounts, const std::vector<bool>& wanted = {}) {
    return Ledger(std::make_shared<const Accounts>(heat_accounts, wanted));
}

}  // namespace

TEST_CASE("balances are the sums of posts, one per replica") {
    Ledger ledger = books(2);
    ledger.open(Amounts(block_width).data());
    Amounts amounts(block_width), sum(block_width);
    for (int k = 0; k < 10; ++k) {
        amounts = testing::numbers(block_width, static_cast<std::uint64_t>(k));
        ledger.post(Ledger::work, amounts.data());
        ledger.post(Ledger::first_heat + 1, amounts.data());
        for (std::size_t lane = 0; lane < block_width; ++lane) sum[lane] += amounts[lane];
    }
    for (std::size_t lane = 0; lane < block_width; ++lane) {
        CHECK(ledger.balance(Ledger::work, lane) == doctest::Approx(sum[lane]).epsilon(1e-14));
        CHECK(ledger.balance(Ledger::first_heat + 1, lane) == ledger.balance(Ledger::work, lane));
        CHECK(ledger.balance(Ledger::first_heat, lane) == 0.0);
    }
}

TEST_CASE("a million small posts beside a large one are not lost") {
    Ledger ledger = books(0);
    ledger.open(Amounts(block_width).data());
    ledger.post(Ledger::heat, Amounts(block_width, 1.0).data());
    const Amounts small(block_width, 1e-17);
    for (int k = 0; k < 100000; ++k) ledger.post(Ledger::heat, small.data());
    ledger.post(Ledger::heat, Amounts(block_width, -1.0).data());
    CHECK(ledger.balance(Ledger::heat, 7) == doctest::Approx(1e-12).epsilon(1e-6));
}

TEST_CASE("imbalance is what the first law misses, over all that was moved") {
    Ledger ledger = books(1);
    ledger.open(Amounts(block_width, 1.0).data());
    ledger.post(Ledger::work, Amounts(block_width, 3.0).data());
    ledger.post(Ledger::heat, Amounts(block_width, 2.0).data());
    ledger.post(Ledger::source, Amounts(block_width, 0.5).data());
    ledger.post(Ledger::injected, Amounts(block_width, 0.25).data());
    ledger.post(Ledger::shadow, Amounts(block_width, 0.25).data());
    CHECK(ledger.opening_energy(3) == 1.0);
    CHECK(ledger.imbalance(3.0, 3) == 0.0);  // ΔH = 3 + ½ + ¼ + ¼ − 2
    // One more than booked, over |3| + |2| + max|H|.
    CHECK(ledger.imbalance(4.0, 3) == doctest::Approx(1.0 / 9.0));
    ledger.open(Amounts(block_width).data());
    CHECK(ledger.balance(Ledger::work, 0) == 0.0);
    CHECK(ledger.imbalance(0.0, 0) == 0.0);
}

TEST_CASE("posts to accounts that are not kept are lost") {
    std::vector<bool> wanted(Accounts::names.size(), false);
    wanted[Accounts::supply] = true;
    Ledger ledger = books(1, wanted);
    ledger.open(Amounts(block_width).data());
    for (std::size_t account = 0; account <= Ledger::first_heat; ++account)
        ledger.post(account, Amounts(block_width, 1.0).data());
    CHECK(ledger.balance(Ledger::supply, 0) == 1.0);
    CHECK(ledger.balance(Ledger::work, 0) == 0.0);
    CHECK(ledger.packed_size() == 3 * block_width);
}

TEST_CASE("books go on from where they were packed") {
    Ledger one = books(1), two = books(1);
    one.open(Amounts(block_width, 0.1).data());
    for (int k = 0; k < 7; ++k) {
        const Amounts amounts = testing::numbers(block_width, static_cast<std::uint64_t>(k));
        one.post(Ledger::work, amounts.data());
        one.post(Ledger::heat, amounts.data());
    }
    const std::vector<double> packed = one.pack();
    CHECK(packed.size() == two.packed_size());
    two.unpack(packed.data());
    CHECK(two.pack() == packed);
    CHECK(two.imbalance(2.0, 5) == one.imbalance(2.0, 5));
}
