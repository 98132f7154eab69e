#include "physics/accounts.hpp"

#include <doctest/doctest.h>

using namespace ktc;

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
